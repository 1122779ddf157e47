#!/usr/bin/python
"""Documentation of the action asp.centre.revoke: certificates of clerks taken away."""

from __future__ import annotations

DOCUMENTATION = r"""
module: revoke
short_description: Certificates of clerks taken away
description:
  - C(look) says what would be revoked. C(revoke) writes it into the ledger, revokes, closes a clerk's sign-in where the
    reason says so, and waits until the edge refuses. C(lift) allows new certificates again. C(reapply) revokes again
    what step-ca's list lacks. C(list) shows the ledger.
  - In check mode C(revoke) and C(lift) do nothing.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  step: {type: str, choices: [look, revoke, lift, reapply, list], required: true, description: What is done.}
  kind: {type: str, choices: [certificate, clerk, seat, office], description: Whose certificates.}
  name: {type: str, description: "Serial number, user name, workstation, or KSH code of a municipality of the office."}
  reason: {type: str, choices: [stolen, left, replaced, closed, withdrawn], description: Why.}
  note: {type: str, default: "", description: "A case number or a few words, without personal data."}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Take away what a lost computer has
  asp.centre.revoke:
    asp_environment: dev
    step: revoke
    kind: seat
    name: sajoszentpeter-1
    reason: stolen
    note: case 2026/114
"""

RETURN = r"""
lines: {type: list, elements: str, returned: always, description: "What was done, or would be, for people."}
confirm: {type: str, returned: after look, description: What an operator types to confirm it.}
"""

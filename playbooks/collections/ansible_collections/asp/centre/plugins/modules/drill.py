#!/usr/bin/python
"""Documentation of the action asp.centre.drill: restore drills and their ledger."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drill
short_description: Restore drills and their ledger
description:
  - C(due) verifies the ledger and says whose turn it is; with municipalities, exactly those. C(prove) restores each
    aside, compares it with the running one and signs a line in the ledger; in check mode it does nothing.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  step: {type: str, choices: [due, prove], required: true, description: What is done.}
  municipalities: {type: list, elements: str, default: [], description: KSH codes.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Find out whose turn it is
  asp.centre.drill:
    asp_environment: dev
    step: due
  register: drill

- name: Restore aside, compare, sign the proof
  asp.centre.drill:
    asp_environment: dev
    step: prove
    municipalities: "{{ drill.due | map(attribute='ksh') }}"
"""

RETURN = r"""
due: {type: list, elements: dict, returned: after due, description: "C(ksh) and C(name) of each, most urgent first."}
proof: {type: str, returned: after prove, description: What was proven.}
"""

#!/usr/bin/python
"""Documentation of the action asp.centre.restore: a municipality's database as it was at a moment."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: A municipality's database as it was at a moment
description:
  - C(aside) restores the database beside the tenant and compares the two; C(exchange) gives the tenant's name to what
    was put aside and keeps the former database, closed; C(undo) gives the name back to a kept database; C(forget) drops
    a kept one for good. Other municipalities of the cell are not touched.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipality: {type: str, required: true, description: KSH code.}
  step: {type: str, choices: [aside, exchange, undo, forget], required: true, description: What is done.}
  target_time:
    type: str
    description: The moment for C(aside), as 2026-11-23 14:00:00 (Budapest) or with an offset.
  repository: {type: int, choices: [1, 2], default: 1, description: Repository that is read; 2 is the encrypted one.}
  kept: {type: str, description: The kept database for C(undo) and C(forget).}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Restore the database beside the tenant, and compare the two
  asp.centre.restore:
    asp_environment: dev
    municipality: "16054"
    step: aside
    target_time: "2026-11-23 14:00:00"

- name: Give the tenant's name to what was restored
  asp.centre.restore:
    asp_environment: dev
    municipality: "16054"
    step: exchange
"""

RETURN = r"""
moment: {type: str, returned: after aside, description: "The moment as it was read, in Budapest time and in UTC."}
changes: {type: list, elements: str, returned: after aside, description: "Tables that differ, rows now and then."}
kept: {type: str, returned: after exchange and undo, description: Name under which the former database stays.}
held_seconds: {type: float, returned: after exchange and undo, description: For how long clients waited at most.}
record: {type: str, returned: after exchange and undo, description: File that says what was changed.}
"""

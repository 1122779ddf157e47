#!/usr/bin/python
"""Documentation of the action asp.centre.applied: remember what was applied for municipalities."""

from __future__ import annotations

DOCUMENTATION = r"""
module: applied
short_description: Remember what was applied for municipalities
description:
  - Writes C(.asp/<env>/applied.json), which later runs hold unchangeable values to; and, when C(steps) are given and
    something was done, C(.asp/<env>/evidence/<time>-<state>.json).
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state:
    type: str
    choices: [joining, joined, absent]
    default: joined
    description: C(joining) before anything is made, C(joined) when the tenant is whole, C(absent) forgets it.
  steps: {type: dict, default: {}, description: What each part of the play changed (lists of lines).}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Remember that the municipality is whole
  asp.centre.applied:
    asp_environment: dev
    municipalities: ["16054"]
    state: joined
    steps: {database: ["database t16054: created"]}
"""

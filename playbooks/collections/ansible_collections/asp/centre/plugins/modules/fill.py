#!/usr/bin/python
"""Documentation of the action asp.centre.fill: a municipality filled with invented data."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fill
short_description: A municipality filled with invented data
description:
  - Every system of the municipality invents data in proportion to its inhabitants, for demonstrations and training. A
    system that was filled before is left as it is. What was filled in cannot be taken out again but by a restore.
  - Refused for a live municipality, unless the environment is marked C(demonstration) in the register.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipality: {type: str, required: true, description: KSH code.}
  confirm: {type: str, default: "", description: The municipality's name; needed except in check mode.}
  seed: {type: int, default: 1, description: Another number makes other people.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Fill a sandbox
  asp.centre.fill:
    asp_environment: dev
    municipality: "29188"
    confirm: Nagybarca
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: A line for each system.}
"""

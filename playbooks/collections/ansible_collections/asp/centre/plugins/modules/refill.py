#!/usr/bin/python
"""Documentation of the action asp.centre.refill: a sandbox emptied and filled anew."""

from __future__ import annotations

DOCUMENTATION = r"""
module: refill
short_description: A sandbox municipality emptied and filled anew
description:
  - A fresh clone of the tenants' template takes the tenant's name, then every system invents data. Passed exercises and
    certificates stay. A run that was killed is completed by the next.
  - Refused for a municipality that is not marked C(training) in the register.
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
- name: Empty the sandbox and fill it anew
  asp.centre.refill:
    asp_environment: dev
    municipality: "29188"
    confirm: Nagybarca
"""

RETURN = r"""
steps:
  type: list
  elements: str
  returned: always
  description: What was done; in check mode, what would go (a line for each table that differs from the template).
"""

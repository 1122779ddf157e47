#!/usr/bin/python
"""Documentation of the action asp.centre.tenant_edge: municipalities at the edge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_edge
short_description: Server certificates and map entries of municipalities at the edge
description:
  - Runs on the control node and reaches the edge through the Docker API. Works on all given municipalities at once.
  - C(present) has a certificate issued where there is none or its end is near, then opens the tenant. C(absent) closes
    it and removes the certificate. Open connections are not dropped.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, absent], default: present, description: What is wanted.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Open a municipality at the edge
  asp.centre.tenant_edge:
    asp_environment: dev
    municipalities: ["16054"]

- name: Close it
  asp.centre.tenant_edge:
    asp_environment: dev
    municipalities: ["16054"]
    state: absent
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
"""

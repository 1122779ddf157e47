#!/usr/bin/python
"""Documentation of the action asp.centre.tenant_identity: municipalities at Keycloak."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_identity
short_description: Organizations, OIDC clients, clerks and citizens of municipalities at Keycloak
description:
  - Runs on the control node and reaches Keycloak through the Docker API. Works on all given municipalities at once.
  - C(present) makes organization, client with roles, and the clerks of the office, as the register says; members that
    the register does not name are removed. C(absent) removes them, with users who belong to no other municipality.
  - In the citizens' realm a client for each municipality that has e-administration, and the environment's citizens.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, absent], default: present, description: What is wanted.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Make organization, client and clerks of a municipality
  asp.centre.tenant_identity:
    asp_environment: dev
    municipalities: ["16054"]
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
"""

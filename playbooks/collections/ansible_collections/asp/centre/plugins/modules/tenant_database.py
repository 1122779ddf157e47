#!/usr/bin/python
"""Documentation of the action asp.centre.tenant_database: databases and roles of municipalities at the centre."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_database
short_description: Databases and roles of municipalities at the centre
description:
  - Runs on the control node and reaches PostgreSQL through the Docker API. Works on all given municipalities at once.
  - C(present) migrates the tenants' template, makes databases from it, roles and rights, and applies later migrations
    to databases that exist. C(exported) writes dump, CSV files and a manifest. C(absent) drops what is the tenant's.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  state: {type: str, choices: [present, exported, absent], default: present, description: What is wanted.}
  export_dir: {type: path, description: Folder for exports; needed with C(exported).}
  confirm: {type: list, elements: str, default: [], description: KSH codes whose data may be destroyed by C(absent).}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Make databases and roles of two municipalities
  asp.centre.tenant_database:
    asp_environment: dev
    municipalities: ["16054", "14915"]

- name: Drop what is the tenant's, for good
  asp.centre.tenant_database:
    asp_environment: dev
    municipalities: ["25159"]
    state: absent
    confirm: ["25159"]
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) changed.}
exports: {type: dict, returned: exported, description: Folder of each municipality's export by KSH code.}
"""

#!/usr/bin/python
"""Documentation of the action asp.centre.tenant_backup: what lets municipalities come back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_backup
short_description: Backups, or the WAL that follows them, contain the municipalities' databases
description:
  - Makes the cell's stanza where it is absent, proves that WAL reaches the repositories, and takes a full backup where
    there is none. If the newest backup does not contain the database of each given municipality as it is now, it sees
    to it that the WAL written until then is in the repositories; the next backup comes by the schedule.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Make sure that the municipality can come back from backups and WAL
  asp.centre.tenant_backup:
    asp_environment: dev
    municipalities: ["16054"]
"""

RETURN = r"""
steps: {type: list, elements: str, returned: always, description: What was (or in check mode would be) done.}
"""

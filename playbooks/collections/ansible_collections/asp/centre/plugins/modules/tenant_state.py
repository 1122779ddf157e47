#!/usr/bin/python
"""Documentation of the action asp.centre.tenant_state: what exists of municipalities at the centre."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_state
short_description: What exists of municipalities at the centre
description:
  - Reads the register, the cells' catalogues, the edge and what was applied. Fails when a municipality is unknown, when
    its phase forbids to join, or when a service that the play needs does not run; nothing was touched then.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  verb: {type: str, choices: [join, leave, restore], required: true, description: What is about to be done.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Require a phase that joins, and every service that a join needs
  asp.centre.tenant_state:
    asp_environment: dev
    municipalities: ["16054"]
    verb: join
  register: before
"""

RETURN = r"""
municipalities: {type: list, elements: str, returned: always, description: "The KSH codes, each once."}
names: {type: dict, returned: always, description: "KSH code to {name, tenant, host}."}
present: {type: list, elements: str, returned: always, description: Those with a database.}
unfinished:
  type: list
  elements: str
  returned: always
  description: Those that no join has finished and the edge has never opened. What a failed join made of them may go.
"""

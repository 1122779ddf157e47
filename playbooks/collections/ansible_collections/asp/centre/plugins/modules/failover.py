#!/usr/bin/python
"""Documentation of the action asp.centre.failover: planned change of a cell's leader."""

from __future__ import annotations

DOCUMENTATION = r"""
module: failover
short_description: Planned change of a cell's leader
description:
  - Holds every client at the pooler, lets the leader hand over, lets them go on; nobody sees an error. The standby
    that has more takes over. Nothing is done when C(node) does not lead.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  cell: {type: str, required: true, description: Id of the cell; it must have three nodes.}
  node: {type: str, description: Service name of the node that shall not lead; whichever does when it is left out.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Let whoever leads hand over
  asp.centre.failover:
    asp_environment: dev
    cell: baz1

- name: Hand over only if this node leads
  asp.centre.failover:
    asp_environment: dev
    cell: baz1
    node: asp-dev-baz1-postgres-2
"""

RETURN = r"""
leader: {type: str, returned: always, description: "Who leads now (in check mode, who may then: a or b)."}
former: {type: str, returned: always, description: Who led before.}
held_seconds: {type: float, returned: when changed, description: For how long clients were held at most.}
"""

"""Ansible action: hand a cell's leadership to a standby while clients are held at the pooler."""

from centre.action import CentreAction
from centre.database.failover import plan, switch
from centre.reach.leader import leader
from centre.reach.runtime import Runtime
from inventory.register import load

DOCUMENTATION = r"""
action: cell_leader
short_description: Planned change of a cell's leader
description:
  - Holds every client at the pooler, lets the leader hand over, lets them go on; nobody sees an error. The standby
    that has more takes over. Nothing is done when C(node) does not lead.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  cell: {type: str, required: true, description: Id of the cell; it must have three nodes.}
  node: {type: str, description: Service name of the node that shall not lead; whichever does when it is left out.}
"""

RETURN = r"""
leader: {type: str, returned: always, description: "Who leads now (in check mode, who may then: a or b)."}
former: {type: str, returned: always, description: Who led before.}
held_seconds: {type: float, returned: when changed, description: For how long clients were held at most.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    runtime = Runtime(load(params["environment"]))
    wanted = plan(runtime, params["cell"], params["node"] or None)
    result = {"changed": not wanted.done, "former": wanted.leader, "leader": wanted.leader}
    if not wanted.done:
        result["leader"] = " or ".join(wanted.standbys)
        if not check:
            result["held_seconds"] = round(switch(runtime, wanted), 2)
            result["leader"] = leader(runtime, runtime.register.cell(params["cell"]))
    result["diff"] = {"before": f"leader: {wanted.leader}\n", "after": f"leader: {result['leader']}\n"}
    return result


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)

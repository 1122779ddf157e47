"""Ansible action: hand a cell's leadership to a synchronous standby while clients are held at the pooler."""

from inventory.register import load
from stacks.action import CentreAction
from stacks.cell.switchover import plan, switch
from stacks.runtime import Runtime

DOCUMENTATION = r"""
action: cell_leader
short_description: Planned change of a cell's leader
description:
  - Holds every client at the pooler, switches over, lets them go on; nobody sees an error. Nothing is done when the
    wanted node leads already; without C(candidate) the standby that acknowledges takes over.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  cell: {type: str, required: true, description: Id of the cell; it must have three nodes.}
  candidate: {type: str, description: Service name of the node that shall lead.}
"""

RETURN = r"""
leader: {type: str, returned: always, description: Who leads now (in check mode, who would).}
former: {type: str, returned: always, description: Who led before.}
held_seconds: {type: float, returned: when changed, description: For how long clients were held at most.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    runtime = Runtime(load(params["environment"]))
    wanted = plan(runtime, params["cell"], params["candidate"] or None)
    result = {
        "changed": not wanted.done,
        "leader": wanted.candidate,
        "former": wanted.leader,
        "diff": {"before": f"leader: {wanted.leader}\n", "after": f"leader: {wanted.candidate}\n"},
    }
    if not wanted.done and not check:
        result["held_seconds"] = round(switch(runtime, wanted), 2)
    return result


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)

"""Ansible action: the play that runs it works on these municipalities alone. The work is in `centre.turn`."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.turn import DOCUMENTATION

from centre import turn
from centre.action import CentreAction, Params, Result


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    if not check:
        turn.take(params["asp_environment"], params["municipalities"], params["verb"], params["wait"])
    return {}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (turn.TurnTaken,)

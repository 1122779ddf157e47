"""Ansible action: the play that runs it works on these municipalities alone. The work is in `centre.turn`."""

from centre import turn
from centre.action import CentreAction

DOCUMENTATION = r"""
action: play_turn
short_description: One play at a time on a municipality
description:
  - Waits until no other play works on any of the municipalities, then holds them until the play ends, however it ends.
    In check mode it does nothing.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  verb: {type: str, required: true, description: What is being done, for whoever waits.}
  wait: {type: int, default: 600, description: Seconds to wait for another play.}
"""


def run(params, check):
    """Result of the action for its parameters."""
    if not check:
        turn.take(params["environment"], params["municipalities"], params["verb"], params["wait"])
    return {}


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)
    faults = (turn.TurnTaken,)

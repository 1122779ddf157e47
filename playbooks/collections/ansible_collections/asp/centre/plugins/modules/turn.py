#!/usr/bin/python
"""Documentation of the action asp.centre.turn: one play at a time on a municipality."""

from __future__ import annotations

DOCUMENTATION = r"""
module: turn
short_description: One play at a time on a municipality
description:
  - Waits until no other play works on any of the municipalities, then holds them until the play ends, however it ends.
    In check mode it does nothing.
notes:
  - Runs in ansible-playbook on the control node, as an action of the same name. Supports check mode and diff.
options:
  asp_environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  verb: {type: str, required: true, description: "What is being done, for whoever waits."}
  wait: {type: int, default: 600, description: Seconds to wait for another play.}
author: [ASP operations]
"""

EXAMPLES = r"""
- name: Wait until no other play works on the municipality
  asp.centre.turn:
    asp_environment: dev
    municipalities: ["16054"]
    verb: join
"""

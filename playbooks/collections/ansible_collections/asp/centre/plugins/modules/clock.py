"""Documentation of the action `clock`."""

from __future__ import annotations

DOCUMENTATION = r"""
module: clock
short_description: A machine's clock beside this computer's
description:
  - Refuses a machine whose clock is wrong. What the question takes on its way counts for the machine, never against it,
    so a slow connection is no wrong clock.
author: [ASP operations]
options:
  skew: {type: float, required: true, description: Seconds that it may differ.}
"""

EXAMPLES = r"""
- name: Require a clock that is right
  asp.centre.clock: {skew: 5}
"""

RETURN = r"""
ahead: {type: float, returned: always, description: Seconds by which the machine is ahead at least; behind below zero.}
"""

"""What goes wrong between here and a running service."""

from __future__ import annotations

from centre.faults import UNREACHABLE, CentreFault


class RuntimeFault(CentreFault):
    """A service cannot be reached or a command in it failed; the message says what, where and what was seen."""


class Unreachable(RuntimeFault):
    """The daemon or the service's task is not there: nothing is known about what it would have answered."""

    exit_code = UNREACHABLE

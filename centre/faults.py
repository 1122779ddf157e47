"""What a verb says to its operator when it cannot do what it should: one message, one exit code."""

from __future__ import annotations

OK, FAILED, USAGE, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 130


class CentreFault(Exception):
    """A foreseeable fault. The message says what, the value seen, the value wanted and the next step."""

    exit_code = FAILED


class UsageFault(CentreFault):
    """The call is wrong; nothing was touched."""

    exit_code = USAGE

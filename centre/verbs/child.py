"""Another program in place of a verb: it has the terminal, it gets the signals, and its exit code is told as ours."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from centre.faults import FAILED, INTERRUPTED, OK, CentreFault


def run(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run to its end: OK, FAILED or INTERRUPTED. For programs whose own codes mean other things than ours."""
    code = code_of(argv, environ)
    if code in (INTERRUPTED, -signal.SIGINT):
        return INTERRUPTED
    return OK if code == 0 else FAILED


def code_of(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Run to its end; its own exit code, negative when a signal ended it."""
    try:
        process = subprocess.Popen(argv, env={**os.environ, **(environ or {})})
    except FileNotFoundError as error:
        raise CentreFault(f"{argv[0]}: no such command; run make host, which installs what is missing") from error

    def hand_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    # Ctrl-C reaches the child by itself, since it is of the same process group: here it only must not end the wait.
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_IGN if before[signal.SIGINT] is signal.SIG_IGN else _wait_on)
    signal.signal(signal.SIGTERM, hand_on)
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_on(_number: int, _frame: FrameType | None) -> None:
    """The child decides."""

"""A process that has imported pytest and the large packages, and runs tests in forks of itself: no start-up a mutant.

Started in a copy of the tree as `worker.py FOLDER-FOR-OUTPUT MODULE…`; takes one request a line, {"tests", "seconds"},
and answers with {"code"}: pytest's exit code, or null for a run that was still going on after so many seconds. It
imports nothing of the tree itself, so each fork reads that as it is on disk then.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path

OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
PAUSE = 0.02  # seconds between two looks: waiting for a process knows no time limit
PATIENCE = 20.0


def main() -> None:
    output, *modules = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.path[0] = os.getcwd()  # as `python -m pytest` has it, in place of this file's folder
    for module in modules:
        importlib.import_module(module)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"code": _run(request["tests"], request["seconds"], Path(output))}), flush=True)


def _run(tests: list[str], seconds: float, output: Path) -> int | None:
    child = os.fork()
    if not child:
        _be_pytest(tests, output)
    status = None
    try:
        status = _end(child, seconds)
    finally:
        if status is None:
            os.kill(child, signal.SIGINT)  # so that pytest removes its containers
            if _end(child, PATIENCE) is None:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
    return None if status is None else os.waitstatus_to_exitcode(status)


def _end(child: int, seconds: float) -> int | None:
    """Its status as soon as it has ended; None when it goes on."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(PAUSE)
    return None


def _be_pytest(tests: list[str], output: Path) -> None:
    """In the fork: what `python -m pytest` does, with a session of its own, so that all it starts ends with it."""
    code = 3  # pytest's own for a fault inside it
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (file, 1), (file, 2)):
            os.dup2(source, target)
        import pytest

        sys.argv = ["pytest", *OPTIONS, *tests]
        code = int(pytest.main(sys.argv[1:]))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()

"""The program's process: started first of all, told its settings later, watched until it ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

# Exit statuses of the program's process beside its own.
REPORTED = 32  # the program's fault has been reported through the engine already
PREVIEW_DEPENDENT = 33  # success, and the program asked whether it is being previewed

_RUNNING_VERBS = {"up", "update", "preview", "pre"}
_START = (
    "import gc; gc.disable(); from stacks.engine.light import lean_sdk; lean_sdk(); "
    "from stacks.engine.child import main; main()"
)
_ROOT = Path(__file__).resolve().parents[2]  # the folder that holds the package `stacks`
_waiting: list[subprocess.Popen[str]] = []  # interpreters that load the SDK for a program yet to be named


def foresee(arguments: list[str]) -> None:
    """Start an interpreter when a command line looks as if it will run a program.

    A wrong guess costs an interpreter that nobody tells anything: `dismiss` ends it.
    """
    if _RUNNING_VERBS.intersection(arguments):
        _waiting.append(_interpreter())


def dismiss() -> None:
    """End what was started for nothing."""
    while _waiting:
        process = _waiting.pop()
        process.kill()
        process.wait()


def _interpreter() -> subprocess.Popen[str]:
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    environment.pop("PULUMI_CONFIG_PASSPHRASE", None)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _START],  # -P: no file of the caller's folder stands for a module of the SDK
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


class Program:
    """One execution of a Pulumi program."""

    def __init__(self) -> None:
        """Take the interpreter that loads the SDK already, or start one."""
        self._process = _waiting.pop() if _waiting else _interpreter()
        assert self._process.stdin is not None
        self._input = self._process.stdin
        self._threads: list[threading.Thread] = []

    def begin(self, settings: dict, output: Callable[[str, str], None]) -> None:
        """Hand over the settings. `output(stream, line)` gets what the program prints."""
        for name in ("stdout", "stderr"):
            thread = threading.Thread(target=self._copy, args=(name, output), daemon=True)
            thread.start()
            self._threads.append(thread)
        with contextlib.suppress(BrokenPipeError), self._input:  # it may have died while starting
            self._input.write(json.dumps(settings) + "\n")

    def _copy(self, name: str, output: Callable[[str, str], None]) -> None:
        for line in getattr(self._process, name):
            output(name, line.rstrip("\n"))

    def wait(self) -> int:
        """Exit status of the program, with all that it printed delivered."""
        status = self._process.wait()
        for thread in self._threads:
            thread.join(timeout=5)
        return status

    def stop(self) -> None:
        """End the process if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

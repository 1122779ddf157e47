"""One line a step: what is done, how long it took, how it ended. A long step counts its seconds on a terminal."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from centre.faults import CentreFault

TAIL = 20  # lines of a failed step's log that are shown


class StepFailed(CentreFault):
    """A step ended badly. The message is all that the operator needs: what, what was seen, what to do."""


class Uncounted(str):
    """The words of a step that ended well and did not say whether it changed anything."""


class Steps:
    """Runs steps and remembers which of them changed something, and which did not say (`uncounted`)."""

    def __init__(self, logs: Path):
        self.logs = logs
        self.changed = 0
        self.uncounted: list[str] = []
        self._print = threading.Lock()
        self._running: dict[str, float] = {}
        self._words: dict[str, str] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def run(self, title: str, action: Callable[[], str | None]) -> None:
        """Do `action`; what it returns says what changed (None or empty: nothing did)."""
        started = time.monotonic()
        self._running[title] = started
        with _Spinner(self._running, self._words) as spinner:
            try:
                outcome = action()
            except BaseException:
                self._running.pop(title, None)
                self._line(spinner, title, started, "failed")
                raise
            self._running.pop(title, None)
            if isinstance(outcome, Uncounted):
                self.uncounted.append(title)
            else:
                self.changed += bool(outcome)
            self._line(spinner, title, started, outcome or "no change")

    def say(self, title: str, words: str) -> None:
        """What a step that is under way has come to; shown on a terminal."""
        self._words[title] = words

    def verdict(self) -> str:
        """What the steps changed, in one sentence's end; those that did not say are named."""
        words = f"{self.changed} steps changed something" if self.changed else "nothing changed"
        return words + (f" (not counted: {', '.join(self.uncounted)})" if self.uncounted else "")

    def _line(self, spinner: _Spinner, title: str, started: float, outcome: str) -> None:
        with self._print:
            spinner.clear()
            print(f"{title:<34} {time.monotonic() - started:6.1f} s  {outcome}", flush=True)

    def command(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, limit: int = 1800) -> str:
        """Run a command with its output in a log file; StepFailed with the end of it. Returns the output."""
        log = self.logs / f"{name}.log"
        try:
            with log.open("w") as stream:
                process = subprocess.run(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    timeout=limit,
                    env={**os.environ, **(env or {})},
                )
        except FileNotFoundError as error:
            raise StepFailed(f"{argv[0]}: no such command") from error
        except subprocess.TimeoutExpired as error:
            raise StepFailed(f"{name}: no end after {limit} s; see {log}") from error
        text = log.read_text(errors="replace")
        if process.returncode != 0:
            tail = "\n".join(text.splitlines()[-TAIL:])
            raise StepFailed(f"{name}: {argv[0]} exited with {process.returncode}. The end of {log}:\n{tail}")
        return text


class _Spinner:
    """Shows what runs and for how long, on a terminal only."""

    def __init__(self, running: Mapping[str, float], words: Mapping[str, str]):
        self._running, self._words = running, words
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._turn, daemon=True) if sys.stdout.isatty() else None

    def __enter__(self) -> _Spinner:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
            self.clear()

    def clear(self) -> None:
        if self._thread:
            print("\r\x1b[2K", end="", flush=True)

    def _turn(self) -> None:
        for frame in itertools.cycle("|/-\\"):
            if self._stop.wait(0.2):
                return
            now = time.monotonic()
            items = ", ".join(
                f"{title} {now - since:.0f} s {self._words.get(title, '')}".rstrip()
                for title, since in list(self._running.items())
            )
            print(f"\r\x1b[2K{frame} {items}"[:150], end="", flush=True)

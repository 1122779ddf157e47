"""Log lines: one JSON object a line on standard error, with the fields that the app servers' lines have."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Log:
    """The lines of one program, such as `asp-node`. Not the library `logging`: one more 10 ms at each short command."""

    program: str

    def info(self, message: str) -> None:
        """Something happened as it should."""
        self._write("INFO", message)

    def warning(self, message: str) -> None:
        """Something did not, and this program goes on or tries again."""
        self._write("WARNING", message)

    def error(self, message: str) -> None:
        """Something ended or failed for good."""
        self._write("ERROR", message)

    def _write(self, level: str, message: str) -> None:
        entry = {"time": round(time.time(), 3), "level": level, "logger": self.program, "message": message}
        print(json.dumps(entry, ensure_ascii=False), file=sys.stderr, flush=True)


class Changes:
    """Says a condition that is looked at again and again once, when it begins, and forgets it when it is over."""

    def __init__(self, log: Log):
        self._log = log
        self._last = ""

    def say(self, message: str) -> bool:
        """Log a message unless it was the last one; whether it was logged."""
        if message == self._last:
            return False
        self._last = message
        self._log.warning(message)
        return True

    def over(self) -> bool:
        """The condition is gone; whether there was one."""
        was_on, self._last = bool(self._last), ""
        return was_on

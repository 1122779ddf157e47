"""Processes of this machine: whether one still lives, and which one this is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process that no later one can be taken for: number, and start in clock ticks since the machine's."""

    pid: int
    start: int

    @classmethod
    def from_pid(cls, pid: int) -> Process:
        """The process that has a number now."""
        return cls(pid, _start(pid))

    @property
    def alive(self) -> bool:
        return _start(self.pid) == self.start

    @property
    def command(self) -> list[str]:
        """Its command line; empty when it has ended."""
        try:
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []


def this() -> Process:
    """This very process."""
    return Process.from_pid(os.getpid())


def computer() -> str:
    """This computer since its start: numbers of processes mean nothing beyond it."""
    return BOOT.read_text(encoding="ascii").strip()


def ancestors() -> Iterator[Process]:
    """The processes above this one, the parent first."""
    pid = os.getppid()
    while pid > 1:
        yield Process.from_pid(pid)
        pid = int(_stat(pid)[1] or 0)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on: [state, parent, …]; the name before may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["", ""]


def _start(pid: int) -> int:
    """Start of a process; 0 when there is none, or when it has ended and nobody has asked how."""
    fields = _stat(pid)
    return int(fields[19]) if len(fields) > 19 and fields[0] not in ("Z", "X") else 0

"""One reading of the register for a process and all its forks.

The whole country is 4,400 files: 1.6 s to read and check, 0.02 s to see that none of them changed. An ansible-playbook
reads the register when it makes its inventory; the forks in which its tasks run have it for nothing.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from inventory import paths
from inventory.applied import snapshot_file
from inventory.errors import RegisterError
from inventory.rules.unchangeable import compared_with_applied
from inventory.rules.written import Written

R = TypeVar("R")
Signature = tuple[tuple[str, int, int, int], ...]
KEPT = 4  # registers; a process works on one, tests on many


@dataclass
class _Reading(Generic[R]):
    files: Signature
    snapshot: Signature
    written: Written
    register: R


class Memo(Generic[R]):
    """`read(env, root)`, remembered for as long as no file of the register changes.

    What was last applied changes during a play, by that play itself. It costs no new reading: only the rules that
    compare with it are checked again.
    """

    def __init__(self, read: Callable[[str, Path], tuple[Written, R]]):
        self._read = read
        self._readings: OrderedDict[tuple[str, Path], _Reading[R]] = OrderedDict()

    def __call__(self, env: str, root: Path | None = None) -> R:
        """The register of `env`; RegisterError with every fault.

        `root` (default: the project's `inventory/`) lets tests point at another register.
        """
        root = root or paths.REGISTER
        key = (env, root)
        files, snapshot = _signature(_files(env, root)), _signature([str(snapshot_file(env, root))])
        reading = self._readings.get(key)
        if reading is None or reading.files != files:
            written, register = self._read(env, root)
            reading = self._readings[key] = _Reading(files, snapshot, written, register)
        elif reading.snapshot != snapshot:
            if faults := list(compared_with_applied(reading.written)):
                raise RegisterError(faults)
            reading.snapshot = snapshot
        self._readings.move_to_end(key)
        while len(self._readings) > KEPT:
            self._readings.popitem(last=False)
        return reading.register

    def cache_clear(self) -> None:
        """Forget every reading."""
        self._readings.clear()


def _files(env: str, root: Path) -> Iterator[str]:
    """Whatever a reading of `env` looks at: catalogue, the environment's own files, every other one's settings."""
    for folder in (root / paths.CATALOGUE, root / "environments" / env):
        for place, _, names in os.walk(folder):
            yield place
            yield from (os.path.join(place, name) for name in names)
    yield from sorted(map(str, root.glob("environments/*/environment.yaml")))


def _signature(files: Iterable[str]) -> Signature:
    """What changes when one of the files is written, replaced, added or removed."""
    entries = []
    for file in files:
        try:
            state = os.stat(file)
        except FileNotFoundError:
            continue
        entries.append((file, state.st_ino, state.st_size, state.st_ctime_ns))
    return tuple(entries)

"""One play at a time on a municipality: two joins of one tenant would take back what the other has just made.

A play holds its turn until its process ends, however it ends: `.asp/<env>/turns.json` names the process by number and
start, so that nothing has to be given back and a killed play blocks nobody.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from centre.reach.processes import Process, ancestors
from inventory import paths
from inventory.files import write_whole

PLAYBOOK = "ansible-playbook"
POLL = 0.3  # seconds


class TurnTaken(Exception):
    """Another play works on a municipality and did not end in time."""


def play() -> Process:
    """The ansible-playbook that runs this module: the outermost of its ancestors; without one, the parent."""
    lineage = list(ancestors())
    plays = [process for process in lineage if any(Path(word).name == PLAYBOOK for word in process.command[:2])]
    return (plays or lineage[:1])[-1]  # a command's first word: itself, or Python running it


def take(env: str, codes: Iterable[str], verb: str, wait: float, owner: Process | None = None) -> None:
    """Take the turn of all `codes` at once for the owner's (default: the play's) life, waiting up to `wait` seconds.

    TurnTaken names who holds which.
    """
    owner, municipalities = owner or play(), sorted(set(codes))
    folder = paths.environment_dir(env)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    deadline = time.monotonic() + wait
    while True:
        with (folder / "turns.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            turns = {ksh: turn for ksh, turn in _read(folder).items() if Process(*turn["process"]).alive}
            identity = [owner.pid, owner.start]
            others = {ksh: turns[ksh] for ksh in municipalities if ksh in turns and turns[ksh]["process"] != identity}
            if not others:
                turns |= {ksh: {"process": identity, "verb": verb} for ksh in municipalities}
                write_whole(folder / "turns.json", json.dumps(turns, indent=1, sort_keys=True) + "\n")
                return
        if time.monotonic() >= deadline:
            holders = ", ".join(f"{ksh}: {turn['verb']}, process {turn['process'][0]}" for ksh, turn in others.items())
            raise TurnTaken(
                f"nothing was touched; another play works on the same municipality. Seen after {wait:.0f} s: "
                f"{holders}; wanted: none. Wait for it, then run this again"
            )
        time.sleep(POLL)


def _read(folder: Path) -> dict[str, Any]:
    file = folder / "turns.json"
    turns: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return turns

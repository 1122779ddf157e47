"""What was last applied at the centre: `.asp/<env>/applied.json`, written after a join or a leave that succeeded.

Values that never change once a tenant exists (its KSH code, its cell, the cell's place in the list, from which its
networks follow) are compared with it before anything is touched.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory import paths
from inventory.errors import Fault, RegisterError

if TYPE_CHECKING:
    from inventory.register import Register

VERSION = 1
EMPTY: dict[str, Any] = {"version": VERSION, "cells": {}, "municipalities": {}}


def snapshot_file(env: str, root: Path | None = None) -> Path:
    """Where the snapshot lies. `root`: the register's folder, when it is not the project's own."""
    local = paths.LOCAL if root is None else root.parent / ".asp"
    return local / env / "applied.json"


def read(env: str, root: Path | None = None) -> dict[str, Any]:
    """The snapshot: `cells` (id → place in the list) and `municipalities` (KSH code → `name`, `cell`, `phase`)."""
    file = snapshot_file(env, root)
    if not file.is_file():
        return json.loads(json.dumps(EMPTY))
    try:
        snapshot = json.loads(file.read_text(encoding="utf-8"))
        if snapshot["version"] != VERSION:
            raise ValueError(f"version {snapshot['version']}")
        return snapshot
    except (ValueError, KeyError, TypeError) as error:
        remedy = f"Restore it, or remove it and run playbooks/join.yml (version {VERSION} is written)"
        place = f".asp/{env}/{file.name}"
        raise RegisterError([Fault(place, "(file)", str(error), "is no snapshot of this release", remedy)]) from error


def joined(register: Register, codes: Iterable[str], root: Path | None = None) -> bool:
    """Record municipalities as the register has them now; whether the snapshot changed."""

    def change(snapshot: dict[str, Any]) -> None:
        for code in codes:
            municipality = register.municipality(code)
            values = {"name": municipality.name, "cell": municipality.cell, "phase": str(municipality.phase)}
            snapshot["municipalities"][code] = values
        _record_cells(register, snapshot)

    return _change(register.environment.id, change, root)


def left(register: Register, codes: Iterable[str], root: Path | None = None) -> bool:
    """Forget municipalities whose tenants are gone; whether the snapshot changed."""

    def change(snapshot: dict[str, Any]) -> None:
        for code in codes:
            snapshot["municipalities"].pop(code, None)
        _record_cells(register, snapshot)

    return _change(register.environment.id, change, root)


def _record_cells(register: Register, snapshot: dict[str, Any]) -> None:
    used = {values["cell"] for values in snapshot["municipalities"].values()}
    snapshot["cells"] = {cell.id: i for i, cell in enumerate(register.environment.cells) if cell.id in used}


def _change(env: str, change: Callable[[dict[str, Any]], None], root: Path | None) -> bool:
    file = snapshot_file(env, root)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (file.parent / "applied.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two joins of different municipalities may end at once
        before = read(env, root)
        after = json.loads(json.dumps(before))
        change(after)
        if after == before and file.is_file():
            return False
        write_whole(file, json.dumps(after, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        return True


def write_whole(file: Path, content: str) -> None:
    """Replace a file at once: a kill leaves the old content or the new one."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, file)

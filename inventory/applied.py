"""What was last applied at the centre, by tenant: `.asp/<env>/applied.json`, written by the join and leave plays.

An entry begins as `state: joining`, before anything of the tenant is made, and becomes `joined` when the tenant is
whole: so a later run knows what an interrupted one may have left half made. Values that never change once a tenant
exists (its KSH code, its cell, the cell's place in the list and the environment's subnet, from which its networks
follow) are compared with it before anything is touched; so is the number of the cell's nodes, which may grow only, and
with several machines where the data lie, which do not follow by themselves.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inventory import paths, placement
from inventory.errors import Fault, RegisterError
from inventory.files import write_whole
from inventory.models import Cell, Environment, Municipality

JOINING, JOINED = "joining", "joined"
Snapshot = dict[str, dict[str, Any]]  # KSH code → what `snapshot_entry` gives


def snapshot_file(env: str, root: Path | None = None) -> Path:
    """Where the snapshot lies. `root`: the register's folder, when it is not the project's own."""
    local = paths.LOCAL if root is None else root.parent / ".asp"
    return local / env / "applied.json"


def snapshot_entry(municipality: Municipality, state: str = JOINED) -> dict[str, Any]:
    """What is remembered of a municipality."""
    cells = [cell.id for cell in municipality.environment.cells]
    place = cells.index(municipality.cell)
    return {
        "state": state,
        "name": municipality.name,
        "cell": municipality.cell,
        "cell_place": place,
        "cell_nodes": municipality.environment.cells[place].nodes,
        "subnet": municipality.environment.subnet,
        "phase": str(municipality.phase),
        **({"training": True} if municipality.training else {}),
        **_machines(municipality.environment, municipality.environment.cells[place]),
    }


def _machines(environment: Environment, cell: Cell) -> dict[str, Any]:
    """Where the data that a municipality needs lie, by machines' ids; nothing where there is one machine."""
    if not environment.several_machines:
        return {}
    places = [placement.node(environment, cell, index) for index in range(cell.nodes)]
    return {
        "node_machines": [place.machines[0].id for place in places],
        "central_machine": placement.central(environment).machines[0].id,
    }


def read(env: str, root: Path | None = None) -> Snapshot:
    """The snapshot; empty when nothing was applied. RegisterError when it is not one."""
    file = snapshot_file(env, root)
    if not file.is_file():
        return {}
    try:
        snapshot: Snapshot = json.loads(file.read_text(encoding="utf-8"))
        if not all(isinstance(entry["cell"], str) and isinstance(entry["name"], str) for entry in snapshot.values()):
            raise ValueError("entries without cell and name")
        return snapshot
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "Restore it; or remove it and run playbooks/join.yml, which writes it anew"
        place = f".asp/{env}/{file.name}"
        raise RegisterError([Fault(place, "(file)", str(error), "is no snapshot", remedy)]) from error


def change(env: str, entries: Snapshot, forget: Iterable[str] = (), dry_run: bool = False) -> tuple[Snapshot, Snapshot]:
    """Write entries and drop others, whole or not at all; the snapshot before and after. `dry_run` writes nothing."""
    file = snapshot_file(env)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (file.parent / "applied.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # joins of different municipalities may end at once
        before = read(env)
        dropped = set(forget)
        after = {ksh: values for ksh, values in (before | entries).items() if ksh not in dropped}
        if after != before and not dry_run:
            write_whole(file, json.dumps(after, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    return before, after


def keep_evidence(env: str, name: str, content: dict[str, Any]) -> Path:
    """Write `.asp/<env>/evidence/<name>.json`: what a play did, for the minutes of a phase. Holds no secret."""
    folder = snapshot_file(env).parent / "evidence"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / f"{name.replace(':', '')}.json"
    write_whole(file, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    return file

"""B1, B2: one tenant back to a moment in a cell of many databases, and how many restores are proven in a day.

``python -m tests.bench B1 [--env dev] [--databases 200] [--rounds 3]``: in turn, to one moment, ours (restored aside,
compared table by table, exchanged), pgBackRest's ``--db-include`` until the database opens, and its restore of the
whole cluster until it opens. B2: drills of one joined municipality in the same cell. Made-up tenants are t90001 and up
(no KSH code begins so) and are removed in the end.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import time
from datetime import datetime

from centre.backup import drill, restore
from centre.backup.backups import Repository
from centre.backup.scratch import restored
from centre.database import apply, migrations, reading
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.register import load
from inventory.vault import vault
from tests.bench.tenants_curve import MADE_UP, made_up, remove, timed
from tests.support.polling import poll

TARGET_SECONDS, ROTA_DAYS = 60, 30


def main() -> int:
    """Command line. Exit 1 when a restore brought other rows than those of the moment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="dev")
    parser.add_argument("--databases", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--drill", action="store_true", help="B2 instead of B1")
    args = parser.parse_args()
    register = load(args.env)
    joined = register.joined()[0]
    cell = CellSql(Runtime(register), joined.cell)
    steps, repository = migrations.installed(), Repository(cell)
    remove(cell)
    present = sum(1 for name in reading.shared(cell).databases if name.startswith("t") and not MADE_UP.fullmatch(name))
    everyone = made_up(register, args.databases - present)
    try:
        apply.ensure_present(cell, everyone, steps, check=False)
        seconds = timed(lambda: repository.back_up("full"))
        print(f"full backup of {args.databases} databases: {seconds:.1f} s", flush=True)
        if args.drill:
            return _drill(cell, register, joined, args.rounds)
        return _restore(cell, everyone[0], steps, args.rounds)
    finally:
        for name in restore.former_databases(cell, everyone[0].name):
            restore.forget(cell, name)
        remove(cell)


def _restore(cell: CellSql, subject, steps, rounds: int) -> int:
    timings: dict[str, list[float]] = {"ours": [], "db-include": [], "whole": []}
    right = True
    for _ in range(rounds):
        kept_row = _write(cell, subject.name)
        (text,) = cell.rows("SELECT to_json(clock_timestamp());")
        moment = datetime.fromisoformat(text)
        lost_row = _write(cell, subject.name)
        restore.archive_up_to_now(cell)
        for way in ("whole", "db-include"):
            began = time.monotonic()
            with restored(cell, subject.name, moment, neighbours=way == "whole") as scratch:
                timings[way].append(time.monotonic() - began)
                right = right and _rows(scratch.script(ROWS), kept_row, lost_row)
            _removed(cell)
        began = time.monotonic()
        aside = restore.put_aside(cell, subject.name, moment)
        between = time.monotonic()
        restore.exchange(cell, subject, aside.name, steps)
        timings["ours"].append(time.monotonic() - began)
        right = right and _rows(cell.script(ROWS, subject.name, "postgres"), kept_row, lost_row)
        _removed(cell)
        parts = [f"{way} {times[-1]:.1f} s" for way, times in timings.items()]
        parts += [f"of ours exchange {time.monotonic() - between:.1f} s", f"rows {'right' if right else 'WRONG'}"]
        print(", ".join(parts), flush=True)
    own, only, whole = (statistics.median(times) for times in timings.values())
    print(f"B1: ours {own:.1f} s, target {TARGET_SECONDS} s, ratio {own / TARGET_SECONDS:.2f}; ours/whole cluster "
          f"{own / whole:.2f}, ours/--db-include alone, neither compared nor put back, {own / only:.2f}")  # fmt: skip
    return 0 if right and own <= TARGET_SECONDS else 1


def _drill(cell: CellSql, register, municipality, rounds: int) -> int:
    times = []
    for _ in range(rounds):
        entry = drill.prove(cell, vault.load(register), municipality)
        times.append(entry["seconds"])
        print(f"repository {entry['repository']}: {entry['rows']} rows of {entry['tables']} tables in {times[-1]} s")
    median = statistics.median(times)
    capacity = next(c.capacity for c in register.environment.cells if c.id == cell.cell_id)
    a_day = 86400 / median
    print(f"B2: {median:.1f} s a drill, {a_day:.0f} a day one after the other; wanted {capacity / ROTA_DAYS:.0f} a day "
          f"for the {capacity} tenants of a full cell in {ROTA_DAYS} days")  # fmt: skip
    return 0 if a_day >= capacity / ROTA_DAYS else 1


ROWS = "SELECT version FROM asp_meta.migrations WHERE system = 'restore-proof';"


def _removed(cell: CellSql) -> None:
    """Wait until the daemon has removed the last restore's files: a quarter of a million, which slow the next one."""
    client, filters = Runtime(cell.runtime.register, 300).client, {"label": "asp.restore"}
    poll(
        lambda: (
            client.containers.list(all=True, filters=filters, ignore_removed=True)
            + client.volumes.list(filters=filters)
        ),
        lambda objects: not objects,
        300,
        "the restore's files are gone",
    )


def _write(cell: CellSql, tenant: str) -> str:
    version = secrets.token_hex(6)
    cell.script(f"INSERT INTO asp_meta.migrations VALUES ('restore-proof', '{version}');", tenant, "postgres")
    return version


def _rows(text: str, expected: str, unexpected: str) -> bool:
    return expected in text.split() and unexpected not in text.split()


if __name__ == "__main__":
    sys.exit(main())

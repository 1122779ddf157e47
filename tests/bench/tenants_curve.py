"""CELL: how a cell grows. Databases made by the suite's own modules, then at each size what limits it is measured.

``python -m tests.bench CELL --env dev [--cell baz1] [--databases 32,64,128,256] [--keep]``. Per size: time to create (a
tenant), to find nothing to do, to start after a kill (from the node's own log), to back up in full, to restore one
tenant aside (B1's "ours" but for the exchange), the data folder's files and size, the memory of the node. Cells of one
node only: a killed leader of three does not start in its place, another node leads. Made-up tenants are t90001 and up
(no KSH code begins so) and are removed in the end. Printed as YAML for the catalogue's `cell_curve.yaml`,
from which a cell's size is derived.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import sys
import time

from centre.backup import restore
from centre.backup.backups import Repository
from centre.database import apply, migrations, reading
from centre.database.plan import TenantDatabase
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault
from inventory.register import Register, load
from stacks.configs.postgres import DATA
from stacks.configs.scram import verifier

START_SECONDS = 900  # for which a killed node is waited for
MADE_UP = re.compile(r"t9\d{4}")
STARTING, READY = "starting PostgreSQL", "database system is ready to accept connections"


def made_up(register: Register, count: int) -> list[TenantDatabase]:
    """Tenants as a join would make them, with a password each that nobody knows."""
    tenants = []
    for number in range(90001, 90001 + count):
        logins = {s: verifier(os.urandom(16).hex(), f"t{number}_{s}") for s in register.installed_systems}
        tenants.append(TenantDatabase(f"t{number}", logins))
    return tenants


def crash_start(cell: CellSql) -> float:
    """Seconds from the node's first line of log after SIGKILL to the one that says it is ready."""
    before = cell.runtime.container(cell.node)
    before.kill("SIGKILL")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            after = cell.runtime.container(cell.node)
            if after.id != before.id and cell.rows("SELECT to_json(1);") == [1]:
                break
        except RuntimeFault:
            pass
        time.sleep(0.2)
    else:
        raise SystemExit(f"{cell.node} did not come back in {START_SECONDS} s")
    moments = {}
    for line in after.logs(timestamps=True).decode().splitlines():
        for text in (STARTING, READY):
            if text in line:
                moments.setdefault(text, dt.datetime.fromisoformat(line.split(maxsplit=1)[0][:26] + "+00:00"))
    return (moments[READY] - moments[STARTING]).total_seconds()


def restore_one(cell: CellSql, tenant: str) -> float:
    """Seconds until a tenant as it is now lies beside itself, restored and compared; it is dropped again."""
    (now,) = cell.rows("SELECT to_json(clock_timestamp());")
    seconds = timed(lambda: restore.put_aside(cell, tenant, dt.datetime.fromisoformat(now)))
    restore.forget(cell, restore.beside(tenant))
    return seconds


def folder(cell: CellSql) -> tuple[int, int]:
    """Files of the data folder, and its size (MiB)."""
    text = cell.runtime.check(cell.node, ["bash", "-c", f"find {DATA} -type f | wc -l; du -sm {DATA} | cut -f1"])
    files, size = text.split()
    return int(files), int(size)


def memory(cell: CellSql) -> int:
    """Memory of the node that no cache can give back (MiB): processes' own, and shared."""
    stats = cell.runtime.container(cell.node).stats(stream=False)["memory_stats"]["stats"]
    names = ("total_rss", "total_mapped_file") if "total_rss" in stats else ("anon", "shmem")
    return sum(stats[name] for name in names) >> 20


def timed(act) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="dev")
    parser.add_argument("--cell", default="")
    parser.add_argument("--databases", default="32,64,128,256")
    parser.add_argument("--keep", action="store_true", help="leave the made-up tenants")
    args = parser.parse_args()
    register = load(args.env)
    cell = CellSql(Runtime(register), args.cell or register.environment.cells[0].id)
    if cell.cell.nodes != 1:
        raise SystemExit(f"cell {cell.cell_id} of {args.env}: seen nodes: 3, wanted 1. D1 measures a leader's death")
    steps, repository = migrations.installed(), Repository(cell)
    present = [name for name in reading.shared(cell).databases if name.startswith("t") and not MADE_UP.fullmatch(name)]
    remove(cell)
    sizes = [int(size) for size in args.databases.split(",")]
    everyone = made_up(register, max(sizes))
    print(f"source: 'python -m tests.bench CELL --databases {args.databases}'")
    print(f"measured: {dt.date.today()}")
    print(f"machine: {os.cpu_count()} processors, {_machine_memory()} GiB, {platform.system()} {platform.release()}, "
          f"load {os.getloadavg()[0]:.0f} at the beginning")  # fmt: skip
    print("points:", flush=True)
    created = 0
    try:
        for size in sizes:
            count = max(size - len(present), 0)  # tenants that were there before count as well
            new = everyone[created:count]
            create = timed(lambda new=new: apply.ensure_present(cell, new, steps, check=False))
            created = count
            nothing = timed(lambda count=count: apply.ensure_present(cell, everyone[:count], steps, check=False))
            files, mebibytes = folder(cell)
            crash = crash_start(cell)
            backup = timed(lambda: repository.back_up("full"))
            restored = restore_one(cell, everyone[0].name if created else present[0])
            print(
                f"  - {{databases: {size}, create_ms: {1000 * create / max(len(new), 1):.0f}, no_op_seconds: "
                f"{nothing:.2f}, crash_start_seconds: {crash:.2f}, full_backup_seconds: {backup:.1f}, "
                f"restore_seconds: {restored:.1f}, files: {files}, mebibytes: {mebibytes}, "
                f"memory_mebibytes: {memory(cell)}}}",
                flush=True,
            )
    finally:
        if not args.keep:
            remove(cell)
    return 0


def remove(cell: CellSql) -> None:
    """Take made-up tenants away, also those of a killed run."""
    shared = reading.shared(cell)
    names = sorted({match[0] for name in (*shared.databases, *shared.roles) if (match := MADE_UP.match(name))})
    for first in range(0, len(names), 50):
        apply.ensure_absent(cell, names[first : first + 50], check=False)


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30


if __name__ == "__main__":
    sys.exit(main())

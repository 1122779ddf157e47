"""N1: what one saturating tenant does to its neighbours, with the suite's caps and behind a plain PgBouncer without.

``python -m tests.bench N1 [--env dev] [--noisy 25159] [--rounds 3] [--seconds 20] [--clients 120]``. Neighbours run
short transactions at a steady rate through the pooler; meanwhile the noisy tenant keeps processors busy, writes, and
holds transactions open, with many clients. Four measurements in turn, several times in one run, because one p99 says
little on a machine that is shared: quiet; noisy with caps; noisy with caps but for standing back (`asp_yield.busy`);
noisy without any (a second PgBouncer with its own defaults in the same container, and the noisy tenant's limits lifted
in PostgreSQL). The limits are put back by the tenants' own module. Target: the median of the neighbours' p99 at most
20 % above quiet.
"""

from __future__ import annotations

import argparse
import configparser
import io
import shlex
import statistics
import sys
import threading
import time
from collections import defaultdict

from centre.database import apply, migrations
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, RuntimeFault
from inventory.models import Caps, Municipality
from inventory.names import Port
from inventory.register import load
from inventory.vault import vault
from stacks.configs import dbproxy
from stacks.configs.places import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE
from stacks.configs.postgres import BUSY

PLAIN_PORT = 6433
SYSTEM = "irat"
TARGET = 1.2
QUIET, CAPS, STUBBORN, PLAIN = "quiet", "noisy, caps", "noisy, never yielding", "noisy, plain pooler"
# What the neighbours do: what a clerk's page does.
WORK = "SELECT count(*) FROM irat.django_session WHERE session_key = 'x'; SELECT id FROM irat.document LIMIT 20;"
NOISE = {
    "busy": ("SELECT count(*) FROM generate_series(1, 20000000);", 4),
    "write": ("INSERT INTO irat.django_session SELECT 'noise' || gen_random_uuid(), repeat('x', 2000), now() "
              "FROM generate_series(1, 2000);", 4),
    "hold": ("BEGIN; SELECT count(*) FROM irat.django_session; SELECT pg_sleep(20); COMMIT;", 2),
}  # fmt: skip


class Bench:
    """pgbench inside the node's container, through a pooler of the proxy's."""

    def __init__(self, cell: CellSql, passwords: dict[str, str]):
        self.cell, self.passwords = cell, passwords

    def run(self, municipality: Municipality, port: int, arguments: str, scripts: dict[str, str], limit: float) -> str:
        """Transactions of one tenant; what pgbench's log says, a line a transaction."""
        role = municipality.role(SYSTEM)
        folder = f"/tmp/{role}"
        target = (
            f"host={self.cell.cell.proxy} port={port} dbname={municipality.tenant} user={role} connect_timeout=15 "
            f"sslmode=verify-full sslrootcert={ROOT_FILE} sslcert={CERTIFICATE_FILE} sslkey={KEY_FILE}"
        )
        files = "".join(f"printf %s {shlex.quote(sql)} > {folder}/{name}\n" for name, sql in scripts.items())
        script = (
            f"read -r PGPASSWORD; export PGPASSWORD; rm -rf {folder}; mkdir {folder}; cd {folder}\n{files}"
            f"timeout {limit:.0f} $(ls /usr/lib/postgresql/*/bin/pgbench) -n {arguments} {shlex.quote(target)} "
            f">{folder}/out 2>&1; cat {folder}/log.* 2>/dev/null; tail -c 300 {folder}/out >&2; rm -rf {folder}"
        )
        stdin = f"{self.passwords[municipality.ksh]}\n"
        return self.cell.runtime.run(self.cell.node, ["bash", "-c", script], stdin=stdin, timeout=limit + 60).out

    def neighbours(self, those: list[Municipality], port: int, seconds: int, rate: int) -> list[float]:
        """Latencies (ms) of all neighbours' transactions, from when each was due."""
        latencies: list[float] = []

        def load(municipality: Municipality) -> None:
            arguments = f"-c 2 -T {seconds} -R {rate} -l --log-prefix=log -f work"
            text = self.run(municipality, port, arguments, {"work": WORK}, seconds + 30)
            latencies.extend(int(line.split()[2]) / 1000 for line in text.splitlines() if len(line.split()) >= 6)

        _all([threading.Thread(target=load, args=(municipality,)) for municipality in those])
        return latencies

    def noise(self, municipality: Municipality, port: int, seconds: float, clients: int) -> None:
        """Saturate for so long; clients that are refused come again."""
        files = {name: sql for name, (sql, _) in NOISE.items()}
        scripts = " ".join(f"-f {name}@{weight}" for name, (_, weight) in NOISE.items())
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 1:
            self.run(municipality, port, f"-c {clients} -j 2 -T {rest:.0f} {scripts}", files, rest)


def plain_ini() -> str:
    """The suite's pooler without its caps: PgBouncer's own defaults, but for room for all clients."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(dbproxy.pgbouncer_ini(Caps(), {}))
    pooler = parser["pgbouncer"]
    for capped in (
        "default_pool_size", "max_db_connections", "max_db_client_connections", "query_timeout",
        "idle_transaction_timeout", "query_wait_timeout",
    ):  # fmt: skip
        del pooler[capped]
    pooler["listen_port"], pooler["unix_socket_dir"] = str(PLAIN_PORT), ""
    stream = io.StringIO()
    parser.write(stream)
    return stream.getvalue()


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def main() -> int:
    """Command line. Exit 1 when a measurement has too few transactions to say anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="dev")
    parser.add_argument("--noisy", default="25159")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=120)
    parser.add_argument("--rate", type=int, default=20, help="transactions a second of each neighbour")
    args = parser.parse_args()
    register = load(args.env)
    secrets, runtime = vault.load(register), Runtime(register)
    noisy = register.municipality(args.noisy)
    cell = CellSql(runtime, noisy.cell)
    others = [m for m in register.joined(noisy.cell) if m.ksh != noisy.ksh][:4]
    bench = Bench(cell, {m.ksh: secrets.role_password(m, SYSTEM) for m in (noisy, *others)})
    pooler, plain = int(Port.POOLER), PLAIN_PORT
    print(f"{len(others)} neighbours at {args.rate} transactions a second each, {args.seconds} s a measurement; "
          f"1 noisy tenant with {args.clients} clients")  # fmt: skip
    results: dict[str, list[float]] = defaultdict(list)  # measurement → p99 of each round
    fewest = args.rate * args.seconds * len(others)

    def measure(name: str, port: int, noise: bool) -> None:
        nonlocal fewest
        maker = threading.Thread(target=bench.noise, args=(noisy, port, args.seconds + 6, args.clients), daemon=True)
        if noise:
            maker.start()
            time.sleep(3)  # until it is at its full strength
        values = bench.neighbours(others, port, args.seconds, args.rate)
        if noise:
            maker.join(args.seconds + 120)
        _calm(cell, noisy)
        results[name].append(p99(values))
        fewest = min(fewest, len(values)) if name == QUIET else fewest
        print(f"{name:<22} p50 {statistics.median(values):8.1f} ms   p99 {p99(values):8.1f} ms   "
              f"transactions {len(values)}", flush=True)  # fmt: skip

    def restore_caps() -> None:
        tenant = apply.specification(register, secrets, noisy)
        apply.ensure_present(cell, [tenant], migrations.installed(), check=False)

    try:
        for _ in range(args.rounds):
            measure(QUIET, pooler, False)
            measure(CAPS, pooler, True)
            cell.script(f"ALTER ROLE {noisy.role(SYSTEM)} RESET {BUSY};", role="postgres")
            measure(STUBBORN, pooler, True)
            uncap(cell, noisy)
            with plain_pooler(runtime, cell):
                measure(PLAIN, plain, True)
            restore_caps()
    finally:
        _calm(cell, noisy)
        cell.script("DELETE FROM irat.django_session WHERE session_key LIKE 'noise%';", database=noisy.tenant,
                    role="postgres")  # fmt: skip
        restore_caps()
    quiet, capped, stubborn, plainly = (statistics.median(results[name]) for name in (QUIET, CAPS, STUBBORN, PLAIN))
    print(f"median p99 {quiet:.1f} ms quiet; against it: with caps {capped / quiet:.2f} (target {TARGET}), with caps "
          f"but for standing back {stubborn / quiet:.2f}, without {plainly / quiet:.2f}; without against with: "
          f"{plainly / capped:.2f}")  # fmt: skip
    return 0 if fewest > 0.5 * args.rate * args.seconds * len(others) else 1


def uncap(cell: CellSql, noisy: Municipality) -> None:
    """Lift the noisy tenant's limits in PostgreSQL; the tenants' module puts them back."""
    role = noisy.role(SYSTEM)
    cell.script(
        f"ALTER DATABASE {noisy.tenant} CONNECTION LIMIT -1; ALTER ROLE {role} CONNECTION LIMIT -1;"
        f"ALTER ROLE {role} RESET ALL; ALTER ROLE {role} SET search_path = {SYSTEM};",
        role="postgres",
    )


class plain_pooler:
    """A PgBouncer without caps beside the suite's, in the same container."""

    def __init__(self, runtime: Runtime, cell: CellSql):
        self.runtime, self.cell = runtime, cell

    def __enter__(self) -> None:
        script = "cat >/tmp/plain.ini; pgbouncer -q -d /tmp/plain.ini"
        ini = plain_ini().replace("[pgbouncer]", "[pgbouncer]\npidfile = /tmp/plain.pid\nlogfile = /tmp/plain.log")
        self.runtime.check(self.cell.cell.proxy, ["bash", "-c", script], stdin=ini)

    def __exit__(self, *_: object) -> None:
        self.runtime.run(self.cell.cell.proxy, ["bash", "-c", "kill -QUIT $(cat /tmp/plain.pid); rm /tmp/plain.*"])


def _calm(cell: CellSql, noisy: Municipality) -> None:
    """End what the noisy tenant still does."""
    try:
        cell.script(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{noisy.tenant}';", role="postgres"
        )
    except RuntimeFault as error:
        print(f"could not be calmed: {error}", file=sys.stderr)


def _all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(main())

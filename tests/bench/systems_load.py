"""SYS: what the systems bear: requests a second and latency of each one's first page through the edge, memory, start.

``python -m tests.bench SYS [--env dev] [--municipality 16054] [--requests 200] [--clients 4]``. Clerks come with
their certificate and a session, each on a connection that is kept, as browsers do; every request is a page made from
the database. Fill the municipality with data first (`playbooks/fill.yml`). Wanted: start within 3 s, at most
120 MiB each; latency is compared with the register's clause `response-p95`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

from centre.reach.runtime import Runtime
from inventory.register import load
from inventory.vault import vault
from tests.support.clerk import permit
from tests.support.edge_client import EdgeClient, enrol
from tests.support.polling import poll

CLERK, START_SECONDS, MEMORY_MIB = "minta.iktato", 3.0, 120


class Kept:
    """One browser's kept connection to a tenant's host."""

    def __init__(self, client: EdgeClient, host: str):
        raw = socket.create_connection(("127.0.0.1", client.register.environment.ports.https), 20)
        self._connection = http.client.HTTPConnection(host, timeout=20)
        self._connection.sock = client._context.wrap_socket(raw, server_hostname=host)
        port = client.register.environment.ports.https
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client._cookies.get(host, {}).items())
        self._headers = {"Host": host if port == 443 else f"{host}:{port}", "Cookie": cookies}

    def get(self, path: str) -> tuple[int, float]:
        """Status, and milliseconds until the whole page was there."""
        began = time.monotonic()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, (time.monotonic() - began) * 1000


def ask(client: EdgeClient, host: str, path: str, requests: int, clients: int) -> tuple[list[float], int, float]:
    """Latencies (ms), answers other than 200, and seconds for all of them."""
    times: list[float] = []
    wrong = [0]

    def work() -> None:
        connection = Kept(client, host)
        for _ in range(requests // clients):
            status, seconds = connection.get(path)
            times.append(seconds)
            wrong[0] += status != 200

    threads = [threading.Thread(target=work) for _ in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, wrong[0], time.monotonic() - began


def of_service(runtime: Runtime, service: str) -> tuple[float, float]:
    """MiB that a service uses; then it is killed: seconds from its successor's start until that listened."""
    container = runtime.container(service)
    memory = container.stats(stream=False)["memory_stats"]
    mebibytes = (memory["usage"] - memory.get("stats", {}).get("total_inactive_file", 0)) / 2**20
    container.kill()  # never restart a task's container: Swarm starts another one, and both run
    successor = poll(lambda: runtime.container(service, 60), lambda task: task.id != container.id, 60, f"new {service}")
    since = datetime.fromisoformat(successor.attrs["State"]["StartedAt"][:26] + "+00:00").timestamp()
    (entry,) = [line for line in successor.logs().decode().splitlines() if "Listening at" in line]
    return mebibytes, json.loads(entry)["time"] - since


def main() -> int:
    """Command line. Exit 1 when a request was answered otherwise than with its page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", default="dev")
    parser.add_argument("--municipality", default="16054")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--clients", type=int, default=4)
    args = parser.parse_args()
    register = load(args.env)
    runtime, secrets = Runtime(register), vault.load(register)
    municipality = register.municipality(args.municipality)
    cell = register.cell(municipality.cell)
    limit = register.sla["response-p95"].value
    systems = [system for system in municipality.systems if system in register.installed_systems]
    every = [f"{system}.{role}" for system in systems for role in register.systems[system].roles]
    faults = 0
    print(f"{args.clients} clients, {args.requests} requests a system; p95 may be {limit} ms")
    print(f"{'system':<10}{'req/s':>7}{'p50 ms':>8}{'p95 ms':>8}{'of limit':>9}{'other':>6}{'MiB':>6}{'start s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        paper = enrol(EdgeClient(register, secrets), secrets, Path(folder), CLERK, municipality.ksh)
        client = EdgeClient(register, secrets, paper)
        client.follow(municipality.url())
        permit(runtime, register, municipality, CLERK, every)
        try:
            for system in systems:
                page = client.follow(municipality.url(system))
                if page.status != 200:
                    sys.exit(f"{page.url}: wanted 200, seen {page.status}")
                path = "/" + page.url.split("/", 3)[3]
                times, wrong, seconds = ask(client, municipality.host, path, args.requests, args.clients)
                mebibytes, start = of_service(runtime, cell.app(system))
                p95 = statistics.quantiles(times, n=20)[18]
                faults += wrong
                mark = "" if mebibytes <= MEMORY_MIB and start <= START_SECONDS else "  over"
                figures = f"{len(times) / seconds:7.0f}{statistics.median(times):8.1f}{p95:8.1f}{p95 / limit:9.2f}"
                print(f"{system:<10}{figures}{wrong:6}{mebibytes:6.0f}{start:8.1f}{mark}", flush=True)
        finally:
            permit(runtime, register, municipality, CLERK, [])
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Planned change of a cell's leader: clients are held at the pooler meanwhile, and none of them sees an error."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from inventory.names import CellNames
from stacks.cell.leader import PYTHON, members
from stacks.runtime import Runtime, RuntimeFault

HOLD_SECONDS = 20  # how long clients may be held; PgBouncer itself sends them away after 30
PAUSE_SECONDS = 12
STATE = ["psql", "-XAtqh", "/run/asp", "-p", "6432", "-U", "pgbouncer", "-c", "SHOW STATE", "pgbouncer"]


@dataclass(frozen=True)
class Plan:
    """Who leads and who shall. `done`: the wanted node leads already."""

    cell: str
    leader: str
    candidate: str

    @property
    def done(self) -> bool:
        return self.leader == self.candidate


def plan(runtime: Runtime, cell_id: str, candidate: str | None = None) -> Plan:
    """What a switchover would do. RuntimeFault when the cell is not fit for one.

    `candidate`: service name of a node, default the standby that acknowledges; another standby cannot take over without
    risk to acknowledged rows and is refused.
    """
    cell = runtime.register.cell(cell_id)
    if cell.nodes == 1:
        raise RuntimeFault(f"cell {cell_id}: seen nodes: 1, wanted 3. A single node has nobody to hand over to")
    found = {member["name"]: member for member in members(runtime, cell, led=True)}
    leader = next(name for name, member in found.items() if member["role"] == "leader")
    ready = [n for n, m in found.items() if m["role"] == "sync_standby" and m["state"] == "streaming"]
    if candidate is not None and candidate not in cell.postgres:
        raise RuntimeFault(f"cell {cell_id}: candidate {candidate}: wanted one of {', '.join(cell.postgres)}")
    if candidate == leader:
        return Plan(cell_id, leader, leader)
    if not ready or candidate not in (None, *ready):
        seen = ", ".join(f"{name} {member['role']} {member['state']}" for name, member in found.items())
        raise RuntimeFault(
            f"cell {cell_id}: {candidate or 'no node'} is not a streaming synchronous standby. Seen: {seen}. "
            "Wait until the cell is whole (runbook database, A node is missing), or name the one that is"
        )
    return Plan(cell_id, leader, candidate or ready[0])


def switch(runtime: Runtime, wanted: Plan) -> float:
    """Carry a plan out; seconds for which clients were held. RuntimeFault says who leads now if it went wrong."""
    cell: CellNames = runtime.register.cell(wanted.cell)
    # What is written now need not be written while clients wait.
    runtime.check(wanted.leader, ["psql", "-XAtqU", "postgres", "-c", "CHECKPOINT"], timeout=120)
    fault: list[RuntimeFault] = []
    began = time.monotonic()

    def hold() -> None:
        try:
            command = ["asp-dbproxy-hold", wanted.candidate, str(HOLD_SECONDS)]
            runtime.check(cell.proxy, command, timeout=HOLD_SECONDS + PAUSE_SECONDS + 10)
        except RuntimeFault as error:
            fault.append(error)

    holding = threading.Thread(target=hold)
    holding.start()
    _wait_paused(Runtime(runtime.register), cell, holding)
    if holding.is_alive():
        body = {"leader": wanted.leader, "candidate": wanted.candidate}
        code = f"import asp_node; print(*asp_node.rest('POST', '/switchover', {body!r}, timeout=60))"
        answer = Runtime(runtime.register).check(wanted.leader, [*PYTHON, code], timeout=70).strip()
        if not answer.startswith(("200", "202")):
            fault.append(RuntimeFault(f"Patroni refused: {answer}"))
    holding.join()
    if fault:
        raise RuntimeFault(f"cell {wanted.cell}: {fault[-1]}")
    return time.monotonic() - began


def _wait_paused(runtime: Runtime, cell: CellNames, holding: threading.Thread) -> None:
    while holding.is_alive():
        if "paused|yes" in runtime.check(cell.proxy, STATE, timeout=5):
            return
        time.sleep(0.05)

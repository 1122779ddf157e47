"""Planned change of a cell's leader: clients are held at the pooler meanwhile, and none of them sees an error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docker.errors import DockerException

from centre.reach.leader import members
from centre.reach.pooler import hold_clients
from centre.reach.runtime import Runtime, RuntimeFault
from inventory.names import CellNames

HOLD_SECONDS = 20  # how long clients may be held; PgBouncer itself sends them away after 30


@dataclass(frozen=True)
class Handover:
    """Who leads, and who may take over: the standby that has more does. `unnecessary`: the leader may stay."""

    cell: str
    leader: str
    standbys: tuple[str, ...] = ()

    @property
    def unnecessary(self) -> bool:
        return not self.standbys


def plan(runtime: Runtime, cell_id: str, node: str | None = None) -> Handover:
    """What a switchover would do. RuntimeFault when the cell is not fit for one.

    `node`: service name of the node that shall not lead; default whichever does.
    """
    cell = runtime.register.cell(cell_id)
    if cell.nodes == 1:
        raise RuntimeFault(f"cell {cell_id}: seen nodes: 1, wanted 3. A single node has nobody to hand over to")
    if node is not None and node not in cell.postgres:
        raise RuntimeFault(f"cell {cell_id}: node {node}: wanted one of {', '.join(cell.postgres)}")
    by_name = {member["name"]: member for member in members(runtime, cell, with_leader=True)}
    leader = next(name for name, member in by_name.items() if member["role"] == "leader")
    if node not in (None, leader):
        return Handover(cell_id, leader)
    # Both must follow: neither takes over without the other's vote, and one acknowledges what the other one leads.
    ready = [n for n, m in by_name.items() if m["role"] == "quorum_standby" and follows(m, by_name[leader])]
    if len(ready) < cell.nodes - 1:
        states = ", ".join(f"{n} {m['role']} {m['state']} ({m.get('timeline')})" for n, m in by_name.items())
        raise RuntimeFault(
            f"cell {cell_id}: {leader} hands over to nobody: wanted two quorum standbys that stream on the leader's "
            f"timeline. Seen: {states}. Wait until the cell is whole (runbook database, A node is missing)"
        )
    return Handover(cell_id, leader, tuple(ready))


def follows(member: Mapping[str, Any], leader: Mapping[str, Any]) -> bool:
    """Whether a standby streams what its leader writes now; one of a former timeline begins to, again and again."""
    return member["state"] == "streaming" and member.get("timeline") == leader.get("timeline")


def switch(runtime: Runtime, handover: Handover) -> float:
    """Carry a plan out; seconds for which clients were held. RuntimeFault says what went wrong.

    The leader's container is asked to end, and Swarm starts it again as a standby (ADR 0029).
    """
    cell: CellNames = runtime.register.cell(handover.cell)
    # What is written now need not be written while clients wait.
    runtime.check(handover.leader, ["psql", "-XAtqU", "postgres", "-c", "CHECKPOINT"], timeout=120)
    leader = runtime.container(handover.leader)
    began = time.monotonic()
    with hold_clients(runtime, cell.proxy, HOLD_SECONDS, until_not=handover.leader) as hold:
        try:
            leader.kill("SIGTERM")
        except DockerException as error:
            raise RuntimeFault(f"cell {handover.cell}: {handover.leader} could not be ended: {error}") from error
        hold.wait()
    return time.monotonic() - began

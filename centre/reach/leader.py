"""Who leads a cell, and each node's own word about itself."""

from __future__ import annotations

import json
from typing import Any

from centre.reach.runtime import Runtime, RuntimeFault, Unreachable
from inventory.names import CellNames


def leader(runtime: Runtime, cell: CellNames) -> str:
    """Service name of the node that takes writes; Unreachable naming what each node said when there is none."""
    if cell.nodes == 1:
        return cell.postgres[0]
    name: str = next(m["name"] for m in members(runtime, cell, with_leader=True) if m["role"] == "leader")
    return name


def members(runtime: Runtime, cell: CellNames, with_leader: bool = False) -> list[dict[str, Any]]:
    """Members of a cell of three as Patroni's `/cluster` lists them (name, role, state, timeline, lag …).

    From the first node that answers; with `with_leader`, from the first that knows one. Unreachable if none does.
    """
    answers = []
    for node in cell.postgres:
        try:
            answer = runtime.check(node, ["asp-node", "status"], timeout=10)
        except RuntimeFault as fault:
            answers.append(str(fault))
            continue
        nodes: list[dict[str, Any]] = json.loads(answer)["members"]
        if not with_leader or any(member["role"] == "leader" for member in nodes):
            return nodes
        answers.append(f"{node}: knows of no leader")
    raise Unreachable(f"cell {cell.prefix}: no node leads. Seen: {'; '.join(answers)}. See runbook database")

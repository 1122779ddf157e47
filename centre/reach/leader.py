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
    return next(m["name"] for m in members(runtime, cell, led=True) if m["role"] == "leader")


def members(runtime: Runtime, cell: CellNames, led: bool = False) -> list[dict[str, Any]]:
    """Members of a cell of three as Patroni's `/cluster` lists them (name, role, state, timeline, lag …).

    From the first node that answers; with `led`, from the first that knows of a leader. Unreachable if none does.
    """
    seen = []
    for node in cell.postgres:
        try:
            listed = json.loads(runtime.check(node, ["asp-node", "status"], timeout=10))["members"]
        except RuntimeFault as fault:
            seen.append(str(fault))
            continue
        if not led or any(member["role"] == "leader" for member in listed):
            return listed
        seen.append(f"{node}: knows of no leader")
    raise Unreachable(f"cell {cell.prefix}: no node leads. Seen: {'; '.join(seen)}. See runbook database")

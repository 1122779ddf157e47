"""Ansible action: what exists of municipalities at the centre, and whether a play may go on. Reads only."""

from __future__ import annotations

from ansible_collections.asp.centre.plugins.modules.tenant_state import DOCUMENTATION

from centre.action import CentreAction, Params, Result, subjects
from centre.database import reading
from centre.edge.hosts import EdgePlanner
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, Unreachable
from inventory import applied
from inventory.errors import Fault, RegisterError
from inventory.models import Municipality
from inventory.register import Register


def run(params: Params, check: bool) -> Result:
    """Result of the action for its parameters."""
    register, municipalities = subjects(params)
    MAY[params["verb"]](register, municipalities)
    runtime = Runtime(register)
    require_services(register, runtime, municipalities)
    cells = {cell: reading.databases(CellSql(runtime, cell)) for cell in {m.cell for m in municipalities}}
    edge = EdgePlanner(register, runtime).status(municipalities)
    remembered = applied.read(params["asp_environment"])
    present = [m.ksh for m in municipalities if m.tenant in cells[m.cell]]
    joining = {ksh for ksh, entry in remembered.items() if entry.get("state") == applied.JOINING}
    return {
        "municipalities": [m.ksh for m in municipalities],
        "names": {m.ksh: {"name": m.name, "tenant": m.tenant, "host": m.host} for m in municipalities},
        "present": present,
        "unfinished": [
            m.ksh for m in municipalities if not edge[m.host]["ksh"] and (m.ksh not in present or m.ksh in joining)
        ],
    }


def may_join(register: Register, municipalities: list[Municipality]) -> None:
    """RegisterError naming every municipality whose phase says that nothing of it exists at the centre yet."""
    remedy = "Write phase: connection, with evidence.preparation, when its preparation has ended"
    _refuse(register, [m for m in municipalities if not m.joined], "does not join in this phase", remedy)


def may_leave(register: Register, municipalities: list[Municipality]) -> None:
    """RegisterError naming every municipality that is under contract: the next run of join would move it in again."""
    remedy = "Wanted: connection, when its contract has ended. Write that, leave, and then write phase: preparation"
    _refuse(register, [m for m in municipalities if m.phase == "live"], "is live and does not leave", remedy)


def may_restore(register: Register, municipalities: list[Municipality]) -> None:
    """RegisterError naming every municipality that has no tenant to restore."""
    remedy = "Wanted: connection or live. One that has left is brought back from its export, or with the whole cell"
    _refuse(register, [m for m in municipalities if not m.joined], "has no tenant in this phase", remedy)


MAY = {"join": may_join, "leave": may_leave, "restore": may_restore}


def _refuse(register: Register, municipalities: list[Municipality], problem: str, remedy: str) -> None:
    folder = f"inventory/environments/{register.environment.id}/municipalities"
    if municipalities:
        raise RegisterError(
            [
                Fault(f"{folder}/{m.ksh}-{m.slug}.yaml", "phase", str(m.phase), f"{m.name} {problem}", remedy)
                for m in municipalities
            ]
        )


def require_services(register: Register, runtime: Runtime, municipalities: list[Municipality]) -> None:
    """Unreachable naming every service that the play needs and that has no healthy task."""
    services = [register.names.identity, register.names.edge, register.names.pki]
    for cell in sorted({m.cell for m in municipalities}):
        names = register.cell(cell)
        services += [*names.postgres, names.backup]
    faults = []
    for service in services:
        try:
            runtime.container(service)
        except Unreachable as error:
            faults.append(str(error))
    if faults:
        raise Unreachable(f"nothing was touched; {'; '.join(faults)}")


class ActionModule(CentreAction):
    documentation = DOCUMENTATION
    work = staticmethod(run)

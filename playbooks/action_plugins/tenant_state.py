"""Ansible action: what exists of municipalities at the centre, and whether a play may go on. Reads only."""

from centre.action import CentreAction, asked
from centre.database import reading
from centre.edge.hosts import EdgePlanner
from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime, Unreachable
from inventory import applied
from inventory.errors import Fault, RegisterError

DOCUMENTATION = r"""
action: tenant_state
short_description: What exists of municipalities at the centre
description:
  - Reads the register, the cells' catalogues, the edge and what was applied. Fails when a municipality is unknown, when
    its phase forbids to join, or when a service that the play needs does not run; nothing was touched then.
options:
  environment: {type: str, required: true, description: Environment of the register.}
  municipalities: {type: list, elements: str, required: true, description: KSH codes.}
  verb: {type: str, choices: [join, leave, restore], required: true, description: What is about to be done.}
"""

RETURN = r"""
municipalities: {type: list, elements: str, returned: always, description: The KSH codes, each once.}
names: {type: dict, returned: always, description: "KSH code to {name, tenant, host}."}
present: {type: list, elements: str, returned: always, description: Those with a database.}
unfinished:
  type: list
  elements: str
  returned: always
  description: Those that no join has finished and the edge has never opened. What a failed join made of them may go.
"""


def run(params, check):
    """Result of the action for its parameters."""
    register, wanted = asked(params)
    {"join": may_join, "leave": may_leave, "restore": may_restore}[params["verb"]](register, wanted)
    runtime = Runtime(register)
    services_run(register, runtime, wanted)
    cells = {cell: reading.databases(CellSql(runtime, cell)) for cell in {m.cell for m in wanted}}
    edge = EdgePlanner(register, runtime).status(wanted)
    remembered = applied.read(params["environment"])
    present = [m.ksh for m in wanted if m.tenant in cells[m.cell]]
    begun = {ksh for ksh, entry in remembered.items() if entry.get("state") == applied.JOINING}
    return {
        "municipalities": [m.ksh for m in wanted],
        "names": {m.ksh: {"name": m.name, "tenant": m.tenant, "host": m.host} for m in wanted},
        "present": present,
        "unfinished": [m.ksh for m in wanted if not edge[m.host]["ksh"] and (m.ksh not in present or m.ksh in begun)],
    }


def may_join(register, municipalities):
    """RegisterError naming every municipality whose phase says that nothing of it exists at the centre yet."""
    remedy = "Write phase: connection, with evidence.preparation, when its preparation has ended"
    _refuse(register, [m for m in municipalities if not m.joined], "does not join in this phase", remedy)


def may_leave(register, municipalities):
    """RegisterError naming every municipality that is under contract: the next run of join would move it in again."""
    remedy = "Wanted: connection, when its contract has ended. Write that, leave, and then write phase: preparation"
    _refuse(register, [m for m in municipalities if m.phase == "live"], "is live and does not leave", remedy)


def may_restore(register, municipalities):
    """RegisterError naming every municipality that has no tenant to restore."""
    remedy = "Wanted: connection or live. One that has left is brought back from its export, or with the whole cell"
    _refuse(register, [m for m in municipalities if not m.joined], "has no tenant in this phase", remedy)


def _refuse(register, municipalities, problem, remedy):
    folder = f"inventory/environments/{register.environment.id}/municipalities"
    if municipalities:
        raise RegisterError(
            [
                Fault(f"{folder}/{m.ksh}-{m.slug}.yaml", "phase", str(m.phase), f"{m.name} {problem}", remedy)
                for m in municipalities
            ]
        )


def services_run(register, runtime, municipalities):
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

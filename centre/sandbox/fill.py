"""Fill a municipality with invented data in every system.

For demonstrations, training and benches; what is invented says so. A system that was filled before is left as it is.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from centre.reach.psql import CellSql
from centre.reach.runtime import Runtime
from inventory.models import Municipality
from inventory.register import Register
from systems.shared import parts

SECONDS = 900  # for one system
TOGETHER = 3  # systems at a time; none needs what another one invents


def empty_systems(cell: CellSql, municipality: Municipality) -> list[str]:
    """Systems of the municipality that hold no invented data yet, in the order of its file."""
    filled = cell.script(
        "SELECT system FROM chain.run WHERE job = 'synthetic';", database=municipality.tenant, role="postgres"
    ).split()
    inventing = [system for system in cell.runtime.register.systems_of(municipality) if parts.has(system, "synthetic")]
    return [system for system in inventing if system not in filled]


def fill(register: Register, runtime: Runtime, ksh: str, seed: int = 1) -> list[str]:
    """What each system of the municipality said, in the order of its file."""
    municipality = register.municipality(ksh)
    cell = register.cell(municipality.cell)
    command = ["python", "-m", "systems.synthetic", ksh, f"--seed={seed}"]
    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(
            pool.map(
                lambda system: runtime.check(cell.app(system), command, timeout=SECONDS).strip(),
                register.systems_of(municipality),
            )
        )

"""The register: typed, validated models of what should exist. The one source of every name, port, host and threshold.

`load("dev")` reads the catalogues (`inventory/catalogue/`) and `inventory/environments/dev/`, checks everything
against everything (and against the statistical office's list of settlements) and returns a `Register`, or raises one
`RegisterError` with every fault found, before anything is touched.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from inventory import paths
from inventory.errors import Fault, RegisterError
from inventory.gazetteer import settlements
from inventory.memo import Memo
from inventory.models import (
    Clause,
    Environment,
    Municipality,
    MunicipalityEntry,
    Office,
    Retention,
    Statistics,
    System,
    Workstation,
)
from inventory.names import CellNames, Names
from inventory.reader import Reader
from inventory.rules.check import cross_check
from inventory.rules.written import Written


class Register:
    """A validated environment with its systems, SLA clauses, offices and municipalities (keys: ids and KSH codes)."""

    def __init__(
        self,
        environment: Environment,
        systems: dict[str, System],
        sla: dict[str, Clause],
        municipalities: dict[str, Municipality],
        offices: dict[str, Office],
        statistics: Statistics,
        retention: Retention,
    ):
        self.environment = environment
        self.systems = systems
        self.sla = sla
        self.municipalities = municipalities
        self.offices = offices
        self.statistics = statistics
        self.retention = retention

    @property
    def names(self) -> Names:
        return self.environment.names

    @cached_property
    def installed_systems(self) -> tuple[str, ...]:
        """Ids of the systems that have an app server in this release, in catalogue order."""
        return tuple(system.id for system in self.systems.values() if system.installed)

    def municipality(self, ksh: str) -> Municipality:
        """The municipality of a KSH code; RegisterError naming the known ones otherwise."""
        try:
            return self.municipalities[ksh]
        except KeyError:
            known = ", ".join(sorted(self.municipalities))
            fault = Fault(
                f"environment {self.environment.id}", "municipality", ksh, "no such KSH code here", f"Known: {known}"
            )
            raise RegisterError([fault]) from None

    def cell(self, cell_id: str) -> CellNames:
        """Names of a cell's services, volumes and networks."""
        for index, cell in enumerate(self.environment.cells):
            if cell.id == cell_id:
                return self.names.cell(cell_id, index, cell.nodes, self.installed_systems)
        known = ", ".join(cell.id for cell in self.environment.cells)
        raise RegisterError(
            [Fault(f"environment {self.environment.id}", "cell", cell_id, "no such cell", f"Known: {known}")]
        )

    def joined(self, cell_id: str | None = None) -> list[Municipality]:
        """Municipalities whose tenants should exist, ordered by KSH code; of one cell if given."""
        return [
            self.municipalities[ksh]
            for ksh in sorted(self.municipalities)
            if self.municipalities[ksh].joined and cell_id in (None, self.municipalities[ksh].cell)
        ]

    def office_of(self, municipality: Municipality) -> Office:
        return self.offices[municipality.office]

    def members(self, office: Office) -> list[Municipality]:
        """Municipalities that an office serves, the seat first."""
        return self._members.get(office.seat, [])

    @cached_property
    def _members(self) -> dict[str, list[Municipality]]:
        members: dict[str, list[Municipality]] = {}
        for ksh in sorted(self.municipalities, key=lambda ksh: (ksh != self.municipalities[ksh].office, ksh)):
            members.setdefault(self.municipalities[ksh].office, []).append(self.municipalities[ksh])
        return members

    def workstations(self) -> list[tuple[Office, Workstation]]:
        return [(office, station) for office in self.offices.values() for station in office.workstations]

    def ssh_port(self, station: Workstation) -> int:
        """Published SSH port of a workstation's stand-in on this machine."""
        return self.environment.ports.ssh_base + station.number


def _read(env: str, root: Path) -> tuple[Written, Register]:
    """Read and validate one environment; every fault found is in the RegisterError raised."""
    folder = root / "environments" / env
    if not (folder / "environment.yaml").is_file():
        known = ", ".join(sorted(p.parent.name for p in root.glob("environments/*/environment.yaml"))) or "none"
        place = f"inventory/environments/{env}"
        raise RegisterError([Fault(place, "environment", env, "no such environment", f"Known: {known}")])
    reader, catalogue = Reader(root), root / paths.CATALOGUE
    systems = reader.many(catalogue / "systems.yaml", System)
    everything = [system.id for _, system in systems if system.installed]
    entries = reader.folder(folder / "municipalities", MunicipalityEntry)
    written = Written(
        root=root,
        env=env,
        systems=systems,
        sla=reader.many(catalogue / "sla.yaml", Clause),
        statistics=reader.one(catalogue / "statistics.yaml", Statistics),
        retention=reader.one(catalogue / "retention.yaml", Retention),
        environment=reader.one(folder / "environment.yaml", Environment),
        entries={
            path: entry.model_copy(update={"systems": everything}) if entry.systems == "all" else entry
            for path, entry in entries.items()
        },
        offices=reader.folder(folder / "offices", Office),
    )
    # Faults of form first: what could not be read would only raise false alarms between files.
    if faults := reader.faults or cross_check(written):
        raise RegisterError(faults)
    known = settlements()
    environment = written.environment
    municipalities = {
        entry.ksh: Municipality(**dict(entry), environment=environment, settlement=known[entry.ksh])
        for entry in written.entries.values()
    }
    register = Register(
        environment,
        {system.id: system for _, system in written.systems},
        {clause.id: clause for _, clause in written.sla},
        municipalities,
        {office.seat: office for office in written.offices.values()},
        written.statistics,
        written.retention,
    )
    return written, register


load = Memo(_read)  # load(env, root=None): the register, read again only when one of its files has changed

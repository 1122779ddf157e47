"""The register: typed, validated models of what should exist. The one source of every name, port, host and threshold.

`load("dev")` reads the catalogues (`inventory/catalogue/`) and `inventory/environments/dev/`, checks everything
against everything (and against the statistical office's list of settlements) and returns a `Register`, or raises one
`RegisterError` with every fault in it, before anything is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from inventory import paths
from inventory.errors import RegisterError, UnknownName
from inventory.memo import Memo
from inventory.models import (
    Clause,
    Clerk,
    Environment,
    Limit,
    Municipality,
    Office,
    Retention,
    Statistics,
    System,
    Workstation,
)
from inventory.names import CellNames, Names
from inventory.networks import Network, networks
from inventory.reader import Reader
from inventory.rules.check import cross_check
from inventory.rules.written import Written


class Register:
    """A validated environment with its systems, SLA clauses, offices and municipalities (keys: ids and KSH codes).

    One reading is shared by everybody in a process (`load`), so nobody can change it.
    """

    def __init__(
        self,
        environment: Environment,
        systems: dict[str, System],
        sla: dict[str, Clause],
        municipalities: dict[str, Municipality],
        offices: dict[str, Office],
        statistics: Statistics,
        retention: Retention,
        limits: dict[str, Limit],
    ):
        self.environment = environment
        self.systems: Mapping[str, System] = MappingProxyType(systems)
        self.sla: Mapping[str, Clause] = MappingProxyType(sla)
        self.municipalities: Mapping[str, Municipality] = MappingProxyType(municipalities)
        self.offices: Mapping[str, Office] = MappingProxyType(offices)
        self.statistics = statistics
        self.retention = retention
        self.limits: Mapping[str, Limit] = MappingProxyType(limits)

    @property
    def names(self) -> Names:
        return self.environment.names

    @cached_property
    def installed_systems(self) -> tuple[str, ...]:
        """Ids of the systems that have an app server in this release, in catalogue order."""
        return tuple(system.id for system in self.systems.values() if system.installed)

    def limit(self, limit_id: str) -> int:
        """What the edge lets somebody take (`catalogue/limits.yaml`); UnknownName with the known ones otherwise."""
        try:
            return self.limits[limit_id].value
        except KeyError:
            place, problem = f"inventory/{paths.CATALOGUE}/limits.yaml", "no such limit"
            raise UnknownName(place, "limit", limit_id, list(self.limits), problem) from None

    def municipality(self, ksh: str) -> Municipality:
        """The municipality of a KSH code; UnknownName with the known ones otherwise."""
        try:
            return self.municipalities[ksh]
        except KeyError:
            raise UnknownName(
                self._place, "municipality", ksh, list(self.municipalities), "no such KSH code here"
            ) from None

    def systems_of(self, municipality: Municipality) -> list[str]:
        """Systems of a municipality that run here: listed in its file and installed in this release."""
        return [system for system in municipality.systems if system in self.installed_systems]

    def cell(self, cell_id: str) -> CellNames:
        """Names of a cell's services, volumes and networks; UnknownName with the known ones otherwise."""
        for index, cell in enumerate(self.environment.cells):
            if cell.id == cell_id:
                return self.names.cell(cell_id, index, cell.nodes, self.installed_systems)
        raise UnknownName(self._place, "cell", cell_id, [cell.id for cell in self.environment.cells], "no such cell")

    @property
    def networks(self) -> list[Network]:
        """Every network of the environment, with its members."""
        stations = [station.name for _, station in self.workstations()]
        return networks(self.environment, self.installed_systems, stations)

    @property
    def _place(self) -> str:
        return f"environment {self.environment.id}"

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

    def clerk_of(self, station: Workstation) -> Clerk:
        """The clerk who sits at a workstation."""
        return self._seated[station.name]

    @cached_property
    def _seated(self) -> dict[str, Clerk]:
        return {
            station.name: next(clerk for clerk in office.clerks if clerk.username == station.clerk)
            for office, station in self.workstations()
        }

    def ssh_port(self, station: Workstation) -> int:
        """Published SSH port of a workstation's stand-in on this machine."""
        return self.environment.ports.ssh_base + station.number


def _load(env: str, root: Path) -> tuple[Written, Register]:
    """Read and validate one environment; every fault in it is in the RegisterError raised."""
    folder = root / "environments" / env
    if not (folder / "environment.yaml").is_file():
        environments = [file.parent.name for file in root.glob("environments/*/environment.yaml")]
        raise UnknownName(f"inventory/environments/{env}", "environment", env, environments, "no such environment")
    written = _read(env, root, folder)
    environment = written.environment
    return written, Register(
        environment,
        {system.id: system for _, system in written.systems},
        {clause.id: clause for _, clause in written.sla},
        {entry.ksh: entry.within(environment) for entry in written.entries.values()},
        {office.seat: office for office in written.offices.values()},
        written.statistics,
        written.retention,
        {limit.id: limit for _, limit in written.limits},
    )


def _read(env: str, root: Path, folder: Path) -> Written:
    """What stands in the files, checked against everything."""
    reader, catalogue = Reader(root), root / paths.CATALOGUE
    systems = reader.read_list(catalogue / "systems.yaml", System)
    installed = [system.id for _, system in systems if system.installed]
    sla = reader.read_list(catalogue / "sla.yaml", Clause)
    statistics = reader.read_model(catalogue / "statistics.yaml", Statistics)
    retention = reader.read_model(catalogue / "retention.yaml", Retention)
    limits = reader.read_list(catalogue / "limits.yaml", Limit)
    environment = reader.read_model(folder / "environment.yaml", Environment)
    entries = reader.folder(folder / "municipalities", Municipality, {"installed": installed})
    offices = reader.folder(folder / "offices", Office)
    # Faults of form first: what could not be read would only raise false alarms between files.
    if reader.faults or statistics is None or retention is None or environment is None:
        raise RegisterError(reader.faults)
    written = Written(root, env, systems, sla, statistics, retention, limits, environment, entries, offices)
    if faults := cross_check(written):
        raise RegisterError(faults)
    return written


load = Memo(_load)  # load(env, root=None): the register, read again only when one of its files has changed

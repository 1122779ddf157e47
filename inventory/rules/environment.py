"""Rules of `environment.yaml`: cells, networks and ports, also against the environments beside it on the machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from inventory.cell_size import largest
from inventory.errors import Fault
from inventory.gazetteer import settlements
from inventory.models import Environment, Office, SecondFactor
from inventory.reader import Reader
from inventory.rules.written import Written
from systems.shared import workdays

CURVE_FILE = "inventory/catalogue/cell_curve.yaml"
# Second parts of shared services' names (`asp-<env>-edge`); a cell of that name would be taken for one of them.
RESERVED = {"edge", "identity", "pki", "ws", "apps", "workstations"}


def named_like_its_folder(written: Written) -> Iterator[Fault]:
    if written.environment.id != written.env:
        problem = f"the folder is named {written.env!r}"
        yield Fault(written.environment_file, "id", written.environment.id, problem, f"Write id: {written.env}")


def cells(written: Written) -> Iterator[Fault]:
    counties = {settlement.county for settlement in settlements().values() if settlement.county}
    indexes: dict[str, int] = {}
    for index, cell in enumerate(written.environment.cells):
        place = f"cells.{index}"
        if cell.id in indexes:
            problem = f"a duplicate: cell {indexes[cell.id]} of the list has the same id"
            yield Fault(written.environment_file, f"{place}.id", cell.id, problem, "Give each cell its own id")
        indexes.setdefault(cell.id, index)
        if cell.id in RESERVED:
            remedy = "Name the cell after its county, as baz1"
            yield Fault(written.environment_file, f"{place}.id", cell.id, "is the name of a shared service", remedy)
        if cell.county not in counties:
            remedy = f"Wanted one of: {', '.join(sorted(counties))}"
            yield Fault(written.environment_file, f"{place}.county", cell.county, "no such county in the list", remedy)


def capacities(written: Written) -> Iterator[Fault]:
    """No cell is larger than measurements bear out."""
    most = largest()
    for index, cell in enumerate(written.environment.cells):
        if cell.capacity > most.tenants:
            problem = f"a cell holds at most {most.tenants} tenants, by {most.because}"
            remedy = f"Write capacity: {most.tenants}, or measure more (make bench ID=CELL, {CURVE_FILE})"
            yield Fault(written.environment_file, f"cells.{index}.capacity", cell.capacity, problem, remedy)


def opening_hours(written: Written) -> Iterator[Fault]:
    for days, hours in written.environment.opening_hours.items():
        opens, closes = hours.split("-")
        if opens >= closes:
            remedy = "Wanted: opening before closing, as 08:00-16:00"
            yield Fault(written.environment_file, f"opening_hours.{days}", hours, "closes before it opens", remedy)


def maintenance_notice(written: Written) -> Iterator[Fault]:
    """Maintenance is announced early enough (SLA clause maintenance-notice), unless it is an emergency."""
    due = next((int(clause.value) for _, clause in written.sla if clause.id == "maintenance-notice"), 0)
    for index, entry in enumerate(written.environment.maintenance):
        place = f"maintenance.{index}"
        if entry.until <= entry.since:
            remedy = "Wanted: until after since"
            yield Fault(written.environment_file, f"{place}.until", str(entry.until), "ends before it begins", remedy)
        notice = workdays.between(entry.announced, entry.since.astimezone(workdays.ZONE).date())
        if notice < due and not entry.emergency:
            problem = f"{notice} working days before it begins, wanted at least {due}"
            remedy = "Begin later, or write emergency: true"
            yield Fault(written.environment_file, f"{place}.announced", str(entry.announced), problem, remedy)


def ports_differ(written: Written) -> Iterator[Fault]:
    """Published ports of one environment, workstations' SSH ports included."""
    places: dict[int, str] = {}
    for place, port in _ports(written):
        if port in places:
            remedy = "Give each its own; a workstation's is ssh_base + its number"
            yield Fault(written.environment_file, place, port, f"the port is taken by {places[port]}", remedy)
        places.setdefault(port, place)


def _ports(written: Written) -> Iterator[tuple[str, int]]:
    ports = written.environment.ports
    yield "ports.https", ports.https
    yield "ports.http", ports.http
    numbers = sorted({station.number for office in written.offices.values() for station in office.workstations})
    for number in numbers:  # a number given twice is a fault of the offices
        yield f"ports.ssh_base + {number}", ports.ssh_base + number


def apart_from_neighbours(written: Written) -> Iterator[Fault]:
    """Environments live side by side on one machine: no common address, no common port."""
    own_network = ipaddress.IPv4Network(written.environment.subnet)
    places = {port: place for place, port in _ports(written)}
    for folder in sorted((written.root / "environments").iterdir()):
        other = folder / "environment.yaml"
        if folder.name == written.env or not other.is_file():
            continue
        neighbour = _neighbour(other)
        if neighbour is None:
            continue
        subnet, purposes = neighbour
        if own_network.overlaps(subnet):
            problem = f"overlaps {subnet} of {written.name(other)}"
            yield Fault(written.environment_file, "subnet", str(own_network), problem, "Wanted: a /16 of its own")
        for port, purpose in sorted(purposes.items()):
            if port in places:
                problem = f"the port is {purpose} of {written.name(other)}"
                yield Fault(written.environment_file, places[port], port, problem, "Wanted: a port of its own")


def _neighbour(file: Path) -> tuple[ipaddress.IPv4Network, dict[int, str]] | None:
    """Subnet and published ports of another environment; None when it has faults: they are its own to show."""
    reader = Reader(file.parents[2])
    environment = reader.read_model(file, Environment)
    offices = reader.folder(file.parent / "offices", Office)
    if environment is None:
        return None
    ports = environment.ports
    purposes = {ports.https: "ports.https", ports.http: "ports.http"}
    for office in offices.values():
        for station in office.workstations:
            purposes[ports.ssh_base + station.number] = f"workstation {station.name}"
    return ipaddress.IPv4Network(environment.subnet), purposes


def citizens_differ(written: Written) -> Iterator[Fault]:
    for field in ("username", "identifier"):
        indexes: dict[str, int] = {}
        for index, citizen in enumerate(written.environment.citizens):
            value = getattr(citizen, field)
            if value in indexes:
                problem = f"a duplicate: citizen {indexes[value]} of the list has the same"
                yield Fault(written.environment_file, f"citizens.{index}.{field}", value, problem, "Give each its own")
            indexes.setdefault(value, index)


def second_factor(written: Written) -> Iterator[Fault]:
    """A certificate's key is a file: alone it is enough only where nobody works for real."""
    environment = written.environment
    if environment.identity.second_factor is SecondFactor.NONE and not environment.demonstration:
        problem = "a copied file would be enough to sign in, and this environment is no demonstration"
        remedy = "Wanted one of: password, totp"
        yield Fault(written.environment_file, "identity.second_factor", "none", problem, remedy)


RULES = [
    named_like_its_folder,
    cells,
    capacities,
    opening_hours,
    maintenance_notice,
    ports_differ,
    apart_from_neighbours,
    citizens_differ,
    second_factor,
]

"""Rules of municipality files: agreement with the list of settlements, the cells, the catalogue and the phases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from inventory.errors import Fault
from inventory.gazetteer import settlements
from inventory.models import Municipality
from inventory.names import slugify
from inventory.rules.catalogue import FRAMEWORK, TAX, TRAINING
from inventory.rules.written import Written


def of_the_list(written: Written) -> Iterator[Fault]:
    """KSH code and name are those of one settlement that is a tenant."""
    for path, entry in written.entries.items():
        settlement = settlements().get(entry.ksh)
        if settlement is None:
            remedy = "Take the code from inventory/data/helysegnevtar-2018.csv" + _code_of(entry.name)
            yield Fault(written.name(path), "ksh", entry.ksh, "no settlement has this KSH code", remedy)
        elif settlement.is_capital:
            problem = "the capital is no tenant of the ASP; its districts are"
            yield Fault(written.name(path), "ksh", entry.ksh, problem, "Remove the file, or name a district")
        elif entry.name != settlement.name:
            problem = f"the list names {entry.ksh} {settlement.name!r}"
            remedy = f"Write name: {settlement.name}, or another KSH code" + _code_of(entry.name)
            yield Fault(written.name(path), "name", entry.name, problem, remedy)


def _code_of(name: str) -> str:
    codes = [settlement.ksh for settlement in settlements().values() if settlement.name == name]
    return f" ({name} is {codes[0]})" if codes else ""


def unique_codes(written: Written) -> Iterator[Fault]:
    files: dict[str, Path] = {}
    for path, entry in written.entries.items():
        if entry.ksh in files:
            problem = f"a duplicate: {written.name(files[entry.ksh])} has the same KSH code"
            yield Fault(written.name(path), "ksh", entry.ksh, problem, "Remove one of the files, or correct its code")
        files.setdefault(entry.ksh, path)


def unique_hosts(written: Written) -> Iterator[Fault]:
    """Hosts are `<slug>.<domain>`: two names that fold to one, or to a shared host, collide."""
    environment = written.environment
    shared = {environment.identity_host: "the identity provider", environment.pki_host: "the enrolment service"}
    hosts: dict[str, list[Path]] = defaultdict(list)
    for path, entry in written.entries.items():
        hosts[f"{entry.host_slug or slugify(entry.name)}.{environment.domain}"].append(path)
    for host, paths in hosts.items():
        entries = [written.entries[path] for path in paths]
        slug = host.removesuffix(f".{environment.domain}")
        remedy = f"Give one of them another host, as host_slug: {slug}-{slugify(_county(entries[-1].ksh) or 'county')}"
        if host in shared:
            problem = f"its host {host} is {shared[host]}'s"
            yield Fault(written.name(paths[0]), _slug_field(entries[0]), entries[0].name, problem, remedy)
        if len({entry.ksh for entry in entries}) > 1:  # the same code twice is told as a duplicate
            others = " and ".join(f"{entry.name} ({entry.ksh})" for entry in entries)
            files = ", ".join(map(written.name, paths))
            problem = f"slug collision: {others} fold to the same host {host}; files {files}"
            yield Fault(written.name(paths[-1]), _slug_field(entries[-1]), entries[-1].name, problem, remedy)


def _slug_field(entry: Municipality) -> str:
    return "host_slug" if entry.host_slug else "name"


def _county(ksh: str) -> str:
    settlement = settlements().get(ksh)
    return settlement.county if settlement else ""


def placed_in_cells(written: Written) -> Iterator[Fault]:
    """The cell exists, is of the municipality's county, and is not over-full."""
    cells = {cell.id: cell for cell in written.environment.cells}
    load: dict[str, int] = defaultdict(int)
    for path, entry in written.entries.items():
        cell = cells.get(entry.cell)
        if cell is None:
            remedy = f"Wanted one of {written.environment_file}: {', '.join(cells)}"
            yield Fault(written.name(path), "cell", entry.cell, "no such cell", remedy)
            continue
        load[cell.id] += 1
        settlement = settlements().get(entry.ksh)
        if settlement and settlement.county != cell.county:
            problem = f"the cell is of county {cell.county}, {settlement.name} lies in {settlement.county}"
            fitting = [other.id for other in cells.values() if other.county == settlement.county]
            remedy = f"Wanted: a cell of {settlement.county}: {', '.join(fitting) or 'add one to environment.yaml'}"
            yield Fault(written.name(path), "cell", entry.cell, problem, remedy)
    for index, cell in enumerate(written.environment.cells):
        if load[cell.id] > cell.capacity:
            problem = f"the cell {cell.id} is over-full: {load[cell.id]} municipalities"
            remedy = "Move some that have not joined to another cell of the county, or raise the capacity"
            yield Fault(written.environment_file, f"cells.{index}.capacity", cell.capacity, problem, remedy)


def known_systems(written: Written) -> Iterator[Fault]:
    """Systems are of the catalogue; past preparation all are installed, or the municipality could never be ready."""
    catalogue = {system.id: system for _, system in written.systems}
    for path, entry in written.entries.items():
        for index, system in enumerate(entry.systems):
            if system not in catalogue:
                remedy = f"Wanted one of inventory/catalogue/systems.yaml: {', '.join(catalogue)}"
                yield Fault(written.name(path), f"systems.{index}", system, "no such system", remedy)
            elif system in entry.systems[:index]:
                yield Fault(written.name(path), f"systems.{index}", system, "a duplicate in the list", "Keep one")
            elif not catalogue[system].installed and entry.phase != "preparation":
                problem = f"is not installed in this release, and the municipality is in phase {entry.phase}"
                remedy = (
                    "Write phase: preparation, or remove it until a release has it (systems: all is the installed ones)"
                )
                yield Fault(written.name(path), f"systems.{index}", system, problem, remedy)


def join_modes(written: Written) -> Iterator[Fault]:
    """`system`: the framework and systems; `interface`: the tax system is mandatory, the rest is delivered as data."""
    installed = {system.id for _, system in written.systems if system.installed}
    for path, entry in written.entries.items():
        systems = ", ".join(entry.systems)
        if FRAMEWORK not in entry.systems:
            problem = f"{FRAMEWORK} is missing: nobody could sign in"
            yield Fault(written.name(path), "systems", systems, problem, f"Add {FRAMEWORK}")
        if entry.join_mode == "interface" and TAX not in entry.systems:
            note = "" if TAX in installed else f" ({TAX} is not installed in this release: stay in phase preparation)"
            problem = f"join mode interface without the tax system, which is mandatory in it{note}"
            yield Fault(written.name(path), "systems", systems, problem, f"Add {TAX}, or write join_mode: system")


EARLIER = {"preparation": [], "connection": ["preparation"], "live": ["preparation", "connection"]}


def phases(written: Written) -> Iterator[Fault]:
    """A phase follows from those before it, with evidence; live needs the contract as well."""
    for path, entry in written.entries.items():
        for earlier in EARLIER[entry.phase]:
            if earlier not in entry.evidence:
                problem = f"phase {entry.phase} without evidence of the phase {earlier}"
                remedy = f"Add evidence.{earlier} (which document shows that it ended), or write an earlier phase"
                yield Fault(written.name(path), f"evidence.{earlier}", None, problem, remedy)
        if not entry.contract.number and (entry.phase == "live" or entry.contract.status == "contract"):
            cause = "phase live" if entry.phase == "live" else "contract.status: contract"
            problem, remedy = f"{cause} without the service contract's number", "Add the number in quotes"
            yield Fault(written.name(path), "contract.number", entry.contract.number, problem, remedy)


def sandboxes(written: Written) -> Iterator[Fault]:
    """A municipality for training holds invented data: it is never live, and has the system with the exercises."""
    for path, entry in written.entries.items():
        if not entry.training:
            continue
        if entry.phase == "live":
            problem = "a municipality for training holds invented data and can be emptied at any time"
            remedy = "Write phase: connection, or remove training: true"
            yield Fault(written.name(path), "phase", str(entry.phase), problem, remedy)
        if TRAINING not in entry.systems:
            problem = f"{TRAINING} is missing: nobody could find the exercises"
            yield Fault(written.name(path), "systems", ", ".join(entry.systems), problem, f"Add {TRAINING}")


RULES = [of_the_list, unique_codes, unique_hosts, placed_in_cells, known_systems, join_modes, phases, sandboxes]

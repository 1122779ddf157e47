"""Rules of office files: members, kind, clerks and workstations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from inventory.errors import Fault
from inventory.gazetteer import MEMBERS, OWN_OFFICE, by_name, settlements
from inventory.rules.written import Written


def unique_seats(written: Written) -> Iterator[Fault]:
    files: dict[str, Path] = {}
    for path, office in written.offices.items():
        if office.seat not in settlements():
            remedy = "Take the code from inventory/data/helysegnevtar-2018.csv"
            yield Fault(written.name(path), "seat", office.seat, "no settlement has this KSH code", remedy)
        if office.seat in files:
            problem = f"a duplicate: {written.name(files[office.seat])} has the same seat"
            yield Fault(
                written.name(path), "seat", office.seat, problem, "Remove one of the files, or correct its seat"
            )
        files.setdefault(office.seat, path)


def offices_exist(written: Written) -> Iterator[Fault]:
    """Every municipality names an office that has a file."""
    seats = {office.seat for office in written.offices.values()}
    for path, entry in written.entries.items():
        if entry.office in seats:
            continue
        seat = settlements().get(entry.office)
        problem = f"the office's seat does not exist: no settlement has the KSH code {entry.office}"
        if seat is not None:
            problem = f"no file in inventory/environments/{written.env}/offices has this seat ({seat.name})"
        remedy = f"Add the office's file, or name one of: {', '.join(sorted(seats)) or 'none yet'}"
        yield Fault(written.name(path), "office", entry.office, problem, remedy)


def members(written: Written) -> Iterator[Fault]:
    """An office serves its seat; an own office nobody else."""
    served: dict[str, list[str]] = defaultdict(list)
    for entry in written.entries.values():
        served[entry.office].append(entry.ksh)
    for path, office in written.offices.items():
        codes = served[office.seat]
        if office.seat not in codes:
            problem = f"the office does not serve its own seat; members: {', '.join(sorted(codes)) or 'none'}"
            remedy = f"Add a municipality with ksh and office {office.seat!r}, or remove the office"
            yield Fault(written.name(path), "seat", office.seat, problem, remedy)
        if office.kind == "own" and len(set(codes)) > 1:
            others = ", ".join(sorted(set(codes) - {office.seat}))
            remedy = "Write kind: joint, or give those municipalities their own office"
            yield Fault(written.name(path), "kind", office.kind, f"an own office, but it serves also {others}", remedy)


def agree_with_the_list(written: Written) -> Iterator[Fault]:
    """Kinds and seats are those of 2018 unless the municipality's `office_source` says why not."""
    offices = {office.seat: (path, office) for path, office in written.offices.items()}
    for path, entry in written.entries.items():
        settlement = settlements().get(entry.ksh)
        if settlement is None or entry.office not in offices or entry.office_source:
            continue
        override = "or add office_source: which later decision says so"
        if settlement.office_kind in MEMBERS:
            seat = by_name().get(settlement.office_seat)
            expected = seat.ksh if seat else None
            if entry.office != expected:
                office_seat = f"{settlement.office_seat} ({expected or 'a name that no settlement has'})"
                problem = f"the list of 2018 gives {settlement.name} the office of {office_seat}"
                remedy = f"Write office: {expected!r}, {override}" if expected else override.removeprefix("or ")
                yield Fault(written.name(path), "office", entry.office, problem, remedy)
            continue
        if entry.office != entry.ksh:
            problem = f"the list of 2018 has {settlement.name} as the seat of its own office"
            yield Fault(written.name(path), "office", entry.office, problem, f"Write office: {entry.ksh!r}, {override}")
            continue
        file, office = offices[entry.office]
        kind = "own" if settlement.office_kind == OWN_OFFICE else "joint"
        if office.kind != kind:
            problem = f"the list of 2018 has the office of {settlement.name} as {kind}"
            remedy = f"Write kind: {kind}, {override} ({written.name(path)})"
            yield Fault(written.name(file), "kind", office.kind, problem, remedy)


def clerks(written: Written) -> Iterator[Fault]:
    """User names are unique (one realm); an office with a joined member has somebody to sign in."""
    joined = {entry.office for entry in written.entries.values() if entry.phase != "preparation"}
    files: dict[str, Path] = {}
    for path, office in written.offices.items():
        if not office.clerks and office.seat in joined:
            problem = "no clerk, though a member is past preparation"
            yield Fault(written.name(path), "clerks", [], problem, "Add at least one clerk")
        for index, clerk in enumerate(office.clerks):
            if clerk.username in files:
                problem = f"a duplicate: {written.name(files[clerk.username])} has the same user name"
                remedy = "User names are unique in an environment: rename one"
                yield Fault(written.name(path), f"clerks.{index}.username", clerk.username, problem, remedy)
            files.setdefault(clerk.username, path)


def clerks_roles(written: Written) -> Iterator[Fault]:
    catalogue = {system.id: system for _, system in written.systems}
    used: dict[str, set[str]] = defaultdict(set)
    for entry in written.entries.values():
        used[entry.office].update(entry.systems)
    for path, office in written.offices.items():
        for index, clerk in enumerate(office.clerks):
            for system, roles in clerk.roles.items():
                place = f"clerks.{index}.roles.{system}"
                if system not in catalogue:
                    remedy = f"Wanted one of inventory/catalogue/systems.yaml: {', '.join(catalogue)}"
                    yield Fault(written.name(path), place, roles, "no such system", remedy)
                    continue
                if system not in used[office.seat]:
                    problem = "no municipality of the office has this system"
                    remedy = f"Add {system} to a municipality's systems, or remove the role"
                    yield Fault(written.name(path), place, roles, problem, remedy)
                titles = catalogue[system].roles
                for role in roles:
                    if role not in titles:
                        problem = f"no such role in {system}"
                        yield Fault(written.name(path), place, role, problem, f"Wanted: {', '.join(titles)}")


def workstations(written: Written) -> Iterator[Fault]:
    """Names and numbers are unique in the environment; each is a clerk's of the same office."""
    files: dict[tuple[str, object], Path] = {}
    for path, office in written.offices.items():
        usernames = [clerk.username for clerk in office.clerks]
        for index, station in enumerate(office.workstations):
            for field in ("name", "number"):
                value = getattr(station, field)
                if (field, value) in files:
                    problem = f"a duplicate: {written.name(files[field, value])} has the same workstation {field}"
                    remedy = f"Workstation {field}s are unique in an environment: change one"
                    yield Fault(written.name(path), f"workstations.{index}.{field}", value, problem, remedy)
                files.setdefault((field, value), path)
            if station.clerk not in usernames:
                remedy = f"Wanted one of its clerks: {', '.join(usernames) or 'none yet'}"
                problem = "no such clerk in this office"
                yield Fault(written.name(path), f"workstations.{index}.clerk", station.clerk, problem, remedy)


RULES = [unique_seats, offices_exist, members, agree_with_the_list, clerks, clerks_roles, workstations]

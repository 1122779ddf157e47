"""Shared by the unit tests of checks: the good recording, ways to break it, and judging without a live system."""

from __future__ import annotations

import copy
import inspect
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from checks import catalogue as catalogues
from checks.catalogue import Catalogue
from checks.recording import Recording, View
from checks.suites import test_centre, test_tenant, test_workstation
from checks.verdicts import Measured, Verdict, judge
from inventory.register import Register, load
from tests.support.registers import altered

DATA = Path(__file__).parent / "data"
TAKEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
STATION = "sajoszentpeter-1"
RECORDED = ("keret", "irat")


@cache
def register() -> Register:
    """Environment dev with the systems that it had when the recording was taken."""
    dev = load("dev")
    return altered(
        dev,
        {id: system.model_copy(update={"installed": id in RECORDED}) for id, system in dev.systems.items()},
        {ksh: town.model_copy(update={"systems": list(RECORDED)}) for ksh, town in dev.municipalities.items()},
    )


@cache
def catalogue() -> Catalogue:
    return catalogues.load(register())


def good() -> dict:
    """A recording of a sound tenant, as JSON data."""
    return json.loads((DATA / "good.json").read_text(encoding="utf-8"))


def document(recording: dict, name: str) -> dict:
    """A recording's document by `centre`, `tenant` or `workstation`."""
    return recording["workstations"][STATION] if name == "workstation" else recording[name]


def broken(recording: dict, at: list, value: object = None, drop: bool = False) -> dict:
    """A copy of the recording with one value changed or dropped; the place must exist but for its last key."""
    result = copy.deepcopy(recording)
    target = document(result, at[0])["data"]
    for key in at[1:-1]:
        target = target[key]
    if drop:
        del target[at[-1]]
    else:
        target[at[-1]] = value
    return result


@cache
def assertions() -> dict[str, object]:
    """Every assertion function by its check id."""
    functions = {}
    for module in (test_centre, test_tenant, test_workstation):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                functions[function.check_id] = function
    return functions


def verdicts(recording: dict, now: datetime = TAKEN) -> dict[str, tuple[Verdict, str]]:
    """Verdict and message of every check on a recording, by calling each assertion directly."""
    return {name: judge(error) for name, (error, _) in _judged(recording, now).items()}


def measured(recording: dict, now: datetime = TAKEN) -> dict[str, Measured | None]:
    """What every check says that it measured."""
    return {name: view.measured for name, (_, view) in _judged(recording, now).items()}


def _judged(recording: dict, now: datetime) -> dict[str, tuple[Exception | None, View]]:
    facts, inventory, entries = Recording.model_validate(recording), register(), catalogue()
    documents = {"centre": facts.centre, "tenant": facts.tenant, "workstation": facts.workstations[STATION]}
    results: dict[str, tuple[Exception | None, View]] = {}
    for name, function in assertions().items():
        entry = entries[name]
        view = View(documents[entry.tier], entry.span.total_seconds(), now)
        offered = {
            "probe": view,
            "limit": entries.limit(entry),
            "register": inventory,
            "municipality": inventory.municipality(facts.ksh),
            "subject": STATION,
        }
        error = None
        try:
            function(**{key: offered[key] for key in inspect.signature(function).parameters})
        except Exception as exception:
            error = exception
        results[name] = error, view
    return results

"""Somebody works in every system, and what breaks is bounded."""

import io
import sys

import pytest

from inventory.register import load
from tests.soak import crew, faults
from tests.soak.__main__ import confirm


def test_somebody_has_a_task_in_every_system():
    assert set(crew.ALONE) | set(crew.TOGETHER) == set(load("dev").installed_systems)
    assert all(crew.ALONE.values()) and all(crew.TOGETHER.values())


def test_the_people_are_the_registers():
    register = load("dev")
    ksh, pair = crew.PAIR
    office = register.office_of(register.municipality(ksh))
    assert set(pair) <= {clerk.username for clerk in office.clerks}
    for municipality in register.municipalities.values():
        if municipality.joined and municipality.ksh != ksh:
            assert crew.SINGLE in {clerk.username for clerk in register.office_of(municipality).clerks}
    assert len(register.environment.citizens) >= 2


def test_every_fault_has_its_name_and_a_limit():
    assert len(faults.BY_NAME) == len(faults.ALL) + len(faults.OF_THE_MACHINE) == 10
    assert all(0 < fault.limit <= 300 for fault in faults.ALL)
    assert {fault.name for fault in faults.ALL if not fault.excuses} == {"edge reload", "backup", "join"}


def test_what_ends_everything_on_this_machine_is_never_chosen_by_itself():
    assert {fault.name for fault in faults.OF_THE_MACHINE} == {"machine", "machine up"}
    assert not {fault.name for fault in faults.ALL} & {fault.name for fault in faults.OF_THE_MACHINE}
    assert all(fault.excuses and fault.limit == 60 for fault in faults.OF_THE_MACHINE)


def test_nothing_on_this_machine_ends_unasked(monkeypatch):
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("dev\n"))
    confirm("dev", ["node", "backup"])
    with pytest.raises(SystemExit, match=r"nothing was touched: seen 'no terminal to ask', wanted 'dev' \(or YES=1\)"):
        confirm("dev", ["machine"])
    monkeypatch.setenv("YES", "1")
    confirm("dev", ["machine"])

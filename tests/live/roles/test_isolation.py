"""Target I2: leaks planted in the running cell are found, every one; without them nothing is, and nobody reaches."""

import pytest

from centre.database import apply
from centre.isolation.findings import findings
from centre.isolation.matrix import PLANES, matrix
from centre.isolation.reading import read
from centre.reach.psql import CellSql
from tests.support.leaks import LEAKS, TELLING, planted
from tests.support.long import of_family

SUBJECT, NEIGHBOUR = "25159", "16054"


@pytest.fixture(scope="module")
def cell(register, runtime):
    return CellSql(runtime, register.municipality(SUBJECT).cell)


@pytest.fixture(scope="module")
def names(register):
    subject, neighbour = register.municipality(SUBJECT), register.municipality(NEIGHBOUR)
    return {
        "a": subject.tenant, "own": subject.role("irat"), "b": neighbour.role("irat"), "B": neighbour.tenant,
    }  # fmt: skip


@pytest.fixture(scope="module")
def audited(register, cell):
    """What the cell says now: (findings, matrix)."""
    shares = apply.shared_rights(register, cell.cell_id)

    def go():
        facts = read(cell)
        return findings(facts, shares), matrix([facts])

    return go


@pytest.fixture(scope="module", autouse=True)
def sound(audited):
    """Before and after the leaks the cell is without fault, else nothing here would prove anything."""
    assert audited()[0] == []
    yield
    assert audited()[0] == []


def test_nobody_reaches_another(audited):
    _, result = audited()
    assert result.tenants >= 2 and result.examined == result.tenants * (result.tenants - 1) * len(PLANES)
    assert result.forbidden == 0, result.reached


def test_there_are_enough_leaks():
    assert len({leak.name for leak in LEAKS}) == len(LEAKS) >= 50
    assert {leak.plane for leak in LEAKS} >= set(PLANES) - {"doors"}  # doors: unit tests


def test_every_kind_of_leak_is_planted_always():
    assert {leak.kind for leak in TELLING} == {leak.kind for leak in LEAKS}
    assert {leak.plane for leak in TELLING} == {leak.plane for leak in LEAKS}


# Each takes a look at every catalogue.
@pytest.mark.parametrize("leak", of_family(LEAKS, TELLING), ids=lambda leak: leak.name)
def test_a_leak_is_found(cell, names, audited, leak):
    with planted(cell, leak, names):
        strange, result = audited()
    assert leak.kind in {item.kind for item in strange}, strange
    if leak.plane:
        assert (names["B"], names["a"]) in result.reached[leak.plane], result.reached

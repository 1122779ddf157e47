"""Target I2: leaks planted in the running cell are found, every one; without them nothing is, and nobody reaches."""

import pytest

from centre.database import apply
from centre.isolation import matrix as isolation
from centre.reach.psql import CellSql
from tests.support.leaks import LEAKS, planted
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
    """What is found now: (findings, matrix)."""
    shares = apply.shared_rights(register, cell.cell_id)

    def go():
        facts = isolation.read(cell)
        return isolation.findings(facts, shares), isolation.matrix([facts])

    return go


@pytest.fixture(scope="module", autouse=True)
def sound(audited):
    """Before and after the leaks the cell is without fault, else nothing here would prove anything."""
    assert audited()[0] == []
    yield
    assert audited()[0] == []


def test_nobody_reaches_another(audited):
    _, matrix = audited()
    assert matrix.tenants >= 2 and matrix.examined == matrix.tenants * (matrix.tenants - 1) * len(isolation.PLANES)
    assert matrix.forbidden == 0, matrix.reached


def test_there_are_enough_leaks():
    assert len({leak.name for leak in LEAKS}) == len(LEAKS) >= 50
    assert {leak.plane for leak in LEAKS} >= set(isolation.PLANES) - {"doors"}  # doors: unit tests


# Each takes a look at every catalogue: every third always.
@pytest.mark.parametrize("leak", of_family(LEAKS, LEAKS[::3]), ids=lambda leak: leak.name)
def test_a_leak_is_found(cell, names, audited, leak):
    with planted(cell, leak, names):
        findings, matrix = audited()
    assert leak.kind in {finding.kind for finding in findings}, findings
    if leak.plane:
        pairs = matrix.reached[leak.plane]
        assert (names["B"], names["a"]) in pairs, {plane: sorted(found) for plane, found in matrix.reached.items()}

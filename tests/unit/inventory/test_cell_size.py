"""A cell's size follows from what was measured and from the limits; the register asks for no larger one."""

import re

import pytest
import yaml

from inventory import cell_size
from tests.unit.inventory.register_copy import Copy

POINTS = [
    {"databases": 32, "crash_start_seconds": 1.0, "memory_mebibytes": 100},
    {"databases": 64, "crash_start_seconds": 2.0, "memory_mebibytes": 120},
    {"databases": 128, "crash_start_seconds": 4.0, "memory_mebibytes": 160},
]


@pytest.fixture
def derived(tmp_path):
    def go(points=POINTS, **limits):
        file = tmp_path / f"curve-{len(list(tmp_path.iterdir()))}.yaml"
        entries = {name: {"most": most, "why": "a test"} for name, most in limits.items()}
        file.write_text(yaml.safe_dump({"source": "x", "measured": "y", "points": points, "limits": entries}))
        return cell_size.largest(file)

    return go


def test_nothing_beyond_the_last_point_is_believed(derived):
    size = derived(crash_start_seconds=1000)
    assert size.tenants == 128 and "nothing larger was measured" in size.because


@pytest.mark.parametrize(
    ("limits", "tenants"),
    [
        ({"crash_start_seconds": 3.0}, 96),
        ({"crash_start_seconds": 2.0}, 64),
        ({"crash_start_seconds": 0.5}, 16),
        ({"memory_mebibytes": 110}, 48),
        ({"crash_start_seconds": 3.0, "memory_mebibytes": 110}, 48),
        ({"databases": 100}, 100),
    ],
)
def test_the_tightest_limit_decides(derived, limits, tenants):
    assert derived(**limits).tenants == tenants


def test_a_limit_of_what_was_not_measured_is_refused(derived):
    with pytest.raises(ValueError, match="limit colour: wanted in every point"):
        derived(colour=1)


def test_the_projects_own_curve_says_how_it_came_about():
    curve = yaml.safe_load(cell_size.CURVE.read_text(encoding="utf-8"))
    assert {"source", "measured", "machine", "points", "limits"} <= curve.keys()
    assert len(curve["points"]) >= 4 and all(len(limit["why"]) > 20 for limit in curve["limits"].values())
    assert 1 <= cell_size.largest().tenants <= 256


def test_the_register_refuses_a_larger_cell(tmp_path):
    copy = Copy(tmp_path)
    most = cell_size.largest().tenants
    copy.edit("environments/dev/environment.yaml", "capacity: 256", f"capacity: {most}")
    copy.load()
    copy.edit("environments/dev/environment.yaml", f"capacity: {most}", f"capacity: {most + 1}")
    (fault,) = copy.faults()
    assert re.search(rf"cells\.0\.capacity = {most + 1}: a cell holds at most {most} tenants, .*cell_curve.yaml", fault)

"""What the stacks write into operations.json is what an app server reads; what is no such file is refused."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.register import load
from stacks.components.app_server import operations
from systems.shared.operations import Maintenance, Operations

BUDAPEST = ZoneInfo("Europe/Budapest")
minutes = st.times().map(lambda time: time.replace(second=0, microsecond=0))
moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2099, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=dt.timezone(dt.timedelta(hours=1)))
)
any_operations = st.builds(
    Operations,
    opening_hours=st.dictionaries(st.integers(0, 6), st.tuples(minutes, minutes)),
    outage_minutes=st.integers(0, 10**6),
    maintenance=st.lists(st.builds(Maintenance, moments, moments, st.text(), st.booleans()), max_size=3).map(tuple),
    training=st.lists(st.from_regex(r"\A[0-9]{5}\Z"), max_size=3).map(tuple),
    message_days=st.integers(1, 10**4),
)


@given(any_operations)
def test_what_is_written_is_read(original):
    assert Operations.from_json(original.to_json()) == original


@pytest.mark.parametrize("system", ["keret", "irat"])
def test_the_registers_operations_are_read_by_an_app_server(system):
    register = load("dev")
    result = Operations.from_json(operations(register, register.cell("baz1"), system))
    assert result.opening_hours and result.outage_minutes == register.sla["rto"].value
    assert {day: (f"{a:%H:%M}", f"{b:%H:%M}") for day, (a, b) in result.opening_hours.items()} == {
        day: tuple(hours) for day, hours in register.environment.open_days.items()
    }
    expected = register.environment.maintenance if system == "keret" else []
    assert [entry.text for entry in result.maintenance] == [entry.text for entry in expected]
    assert all(entry.since.tzinfo for entry in result.maintenance)
    assert result.message_days == register.retention.message_days


def test_the_file_stays_what_it_was():
    """Another text is another Swarm config, and restarts thirteen systems in every cell."""
    since = dt.datetime(2026, 11, 28, 18, tzinfo=BUDAPEST)
    original = Operations(
        {0: (dt.time(8), dt.time(16, 30))}, 60, (Maintenance(since, since, "Próba", False),), ("90001",), 90
    ).to_json()
    content = {
        "outage_minutes": 60,
        "opening_hours": {"0": ["08:00", "16:30"]},
        "maintenance": [
            {
                "since": "2026-11-28T18:00:00+01:00",
                "until": "2026-11-28T18:00:00+01:00",
                "text": "Próba",
                "emergency": False,
            }
        ],
        "training": ["90001"],
        "message_days": 90,
    }
    assert original == json.dumps(content, ensure_ascii=False, indent=1)


SOUND = json.loads(Operations({0: (dt.time(8), dt.time(16))}, 60, (), (), 90).to_json())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"opening_hours": {"0": ["08:00"]}}, "not enough values"),
        ({"opening_hours": {"hétfő": ["08:00", "16:00"]}}, "invalid literal for int"),
        ({"maintenance": [{"since": "tegnap"}]}, "'until'|Invalid isoformat"),
        ({"message_days": None}, "int\\(\\) argument"),
        ({"outage_minutes": "x"}, "invalid literal for int"),
    ],
)
def test_a_wrong_file_is_refused(change, words):
    assert Operations.from_json(json.dumps(SOUND))
    with pytest.raises(ValueError, match=f"wanted JSON with opening_hours, .*({words})"):
        Operations.from_json(json.dumps(SOUND | change))


@pytest.mark.parametrize("name", sorted(SOUND))
def test_a_missing_part_is_refused_by_its_name(name):
    rest = {key: value for key, value in SOUND.items() if key != name}
    with pytest.raises(ValueError, match=f"KeyError\\('{name}'\\)"):
        Operations.from_json(json.dumps(rest))


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "1"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError, match="wanted JSON with opening_hours"):
        Operations.from_json(text)

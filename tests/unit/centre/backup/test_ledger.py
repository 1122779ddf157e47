"""The ledger of restore drills: what was written is found again, what was changed is found out, whose turn it is."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centre.backup import ledger
from centre.ledger import LedgerFault
from inventory import paths
from inventory.vault import certificates

REGISTER = SimpleNamespace(environment=SimpleNamespace(id="x"))
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def secrets():
    return SimpleNamespace(ledger_key=certificates.signing_key())


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "environment_dir", lambda env: tmp_path)
    return tmp_path / "drills.jsonl"


@pytest.fixture
def ledger_file(file, secrets):
    for number in range(4):
        ledger.append(REGISTER, secrets, {"municipality": f"1605{number}", "at": NOW.isoformat(), "rows": number})
    return file


def test_what_was_written_is_read(ledger_file, secrets):
    assert [entry["rows"] for entry in ledger.read(REGISTER, secrets)] == [0, 1, 2, 3]
    assert ledger.newest(ledger.read(REGISTER, secrets))["16052"]["rows"] == 2


def change_a_number(lines):
    lines[1] = lines[1].replace('"rows":1', '"rows":9')


def take_one_out(lines):
    del lines[1]


def exchange_two(lines):
    lines[1], lines[2] = lines[2], lines[1]


def copy_one(lines):
    lines.append(lines[0])


def put_in_nonsense(lines):
    lines.insert(2, "{}")


@pytest.mark.parametrize("harm", [change_a_number, take_one_out, exchange_two, copy_one, put_in_nonsense])
def test_a_ledger_that_was_changed_is_found_out_and_not_written_to(ledger_file, secrets, harm):
    lines = ledger_file.read_text().splitlines()
    harm(lines)
    ledger_file.write_text("".join(f"{line}\n" for line in lines))
    before = ledger_file.read_text()
    for act in (
        lambda: ledger.read(REGISTER, secrets),
        lambda: ledger.append(REGISTER, secrets, {"municipality": "1"}),
    ):
        with pytest.raises(LedgerFault, match=r"drills.jsonl, line \d"):
            act()
    assert ledger_file.read_text() == before


def test_another_key_proves_nothing(ledger_file):
    with pytest.raises(LedgerFault, match="line 1: its signature does not hold"):
        ledger.read(REGISTER, SimpleNamespace(ledger_key=certificates.signing_key()))


def test_a_line_cut_by_a_dying_machine_was_never_given(ledger_file, secrets):
    whole = ledger_file.read_text()
    ledger_file.write_text(whole + json.dumps({"municipality": "16059"})[:9])
    ledger.append(REGISTER, secrets, {"municipality": "16058", "at": NOW.isoformat(), "rows": 5})
    assert [entry["rows"] for entry in ledger.read(REGISTER, secrets)] == [0, 1, 2, 3, 5]


def proven(days):
    return [{"municipality": ksh, "at": (NOW - timedelta(days=ago)).isoformat()} for ksh, ago in days.items()]


def test_the_never_proven_come_first_then_the_oldest():
    codes = [f"1{n:04}" for n in range(60)]
    entries = proven({ksh: n % 29 + 1 for n, ksh in enumerate(codes[1:], 1)})
    assert ledger.due(entries, codes, 30, NOW) == ["10000", "10028"]


def test_all_that_are_late_are_due_and_nobody_twice_a_day():
    codes = ["10001", "10002", "10003"]
    assert ledger.due(proven({"10001": 31, "10002": 40, "10003": 1}), codes, 30, NOW) == ["10002", "10001"]
    assert ledger.due(proven(dict.fromkeys(codes, 0.1)), codes, 30, NOW) == []
    assert ledger.due([], [], 30, NOW) == []


@pytest.mark.parametrize(("hours", "is_due"), [(19, False), (21, True), (72, True)])
def test_whose_turn_it_is_rests_for_most_of_a_day_only(hours, is_due):
    assert ledger.due(proven({"10001": hours / 24}), ["10001"], 30, NOW) == ["10001"] * is_due


@pytest.mark.parametrize(("days", "is_late"), [(29.99, False), (30, True)])
def test_a_proof_is_late_when_its_days_are_over(days, is_late):
    """Though others of the day's batch come before it."""
    entries = proven({"10001": 40, "10002": days})
    assert ("10002" in ledger.due(entries, ["10001", "10002"], 30, NOW)) is is_late


@given(count=st.integers(1, 90), days=st.integers(2, 40))
def test_run_daily_the_rota_keeps_everybody_within_its_days(count, days):
    codes, entries, now = [f"1{n:04}" for n in range(count)], [], NOW
    for _ in range(3 * days):
        now += timedelta(days=1)
        entries += [{"municipality": ksh, "at": now.isoformat()} for ksh in ledger.due(entries, codes, days, now)]
    last = ledger.newest(entries)
    assert set(last) == set(codes)
    assert all(now - datetime.fromisoformat(last[ksh]["at"]) <= timedelta(days=days) for ksh in codes)

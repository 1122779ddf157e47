"""Which tenants a relay visits, in what order and how often: looking for messages must not keep a full cell busy."""

import datetime as dt
from collections import Counter

import pytest

from systems.chain import relay
from systems.chain.registry import Job

MANY = [f"{number:05}" for number in range(200)]


@pytest.fixture
def busy_relay(monkeypatch):
    """A relay of 200 tenants with its own clock; `mail`: tenants whose next visit finds a message."""
    now = [1000.0]
    monkeypatch.setattr(relay.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(relay, "_last_served", {})
    subject = relay.Relay(MANY[0])
    subject.visits, subject.mail = [], set()
    subject._tenants = lambda: MANY

    def visit(ksh):
        subject.visits.append(ksh)
        return int(ksh in subject.mail)

    def rounds(count):
        subject.visits.clear()
        for _ in range(count):
            subject.round()
            now[0] += relay.SOON
        return Counter(subject.visits)

    subject._visit, subject.rounds = visit, rounds
    return subject


def test_the_idle_are_looked_at_in_turn_and_few_at_a_time(busy_relay):
    full_turn = len(MANY) // relay.COLD
    counts = busy_relay.rounds(full_turn)
    assert counts == Counter(MANY), "each once"
    assert busy_relay.visits == MANY
    assert busy_relay.rounds(full_turn) == Counter(MANY)


def test_who_is_served_or_has_mail_is_looked_at_in_every_round(busy_relay):
    relay.note_request(MANY[150])
    busy_relay.mail.add(MANY[2])  # found when its turn comes, in the first round
    counts = busy_relay.rounds(10)
    assert counts[MANY[150]] == counts[MANY[2]] == 10
    assert len(busy_relay.visits) <= 10 * (relay.COLD + 2)


def test_who_was_busy_and_is_not_any_more_is_one_of_the_idle_again(busy_relay):
    relay.note_request(MANY[150])
    busy_relay.rounds(int(relay.WARM / relay.SOON) + 1)
    assert busy_relay.rounds(10)[MANY[150]] <= 1


def test_few_tenants_are_looked_at_twice_a_minute(busy_relay):
    busy_relay._tenants = lambda: MANY[:3]
    assert set(busy_relay.rounds(30).values()) == {2}


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_relays_of_several_tasks_visit_the_idle_together_as_often_as_one(busy_relay, replicas):
    other = relay.Relay(MANY[0], replicas)
    other.visits, other._tenants = [], busy_relay._tenants
    other._visit = lambda ksh: other.visits.append(ksh) or 0
    rounds = 30
    for _ in range(rounds):
        other.round()
    assert len(other.visits) == rounds * (relay.COLD // replicas), "each its share"
    assert replicas * len(other.visits) <= rounds * relay.COLD and other.later == replicas * relay.LATER


@pytest.mark.parametrize(
    ("hour", "minute", "slot"), [(0, 0, None), (1, 29, None), (1, 30, "2026-03-02"), (23, 59, "2026-03-02")]
)
def test_a_daily_job_is_due_from_its_time_on(hour, minute, slot):
    job = Job("feed", print, at=dt.time(1, 30))
    assert job.slot(dt.datetime(2026, 3, 2, hour, minute)) == slot

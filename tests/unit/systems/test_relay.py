"""Whom a relay looks at, in what order and how often: a full cell must not be kept busy by looking for mail."""

from collections import Counter

import pytest

from systems.chain import relay
from tests.unit.systems.support import configure

configure()

MANY = [f"{number:05}" for number in range(200)]


@pytest.fixture
def watched(monkeypatch):
    """A relay of 200 tenants on a clock of its own; `mail`: tenants whose next visit finds something."""
    now = [1000.0]
    monkeypatch.setattr(relay.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(relay, "_served", {})
    one = relay.Relay(MANY[0])
    one.visits, one.mail = [], set()
    one._tenants = lambda: MANY

    def visit(ksh):
        one.visits.append(ksh)
        return int(ksh in one.mail)

    def rounds(count):
        one.visits.clear()
        for _ in range(count):
            one.round()
            now[0] += relay.SOON
        return Counter(one.visits)

    one._visit, one.rounds = visit, rounds
    return one


def test_the_idle_are_looked_at_in_turn_and_few_at_a_time(watched):
    whole = len(MANY) // relay.COLD
    seen = watched.rounds(whole)
    assert seen == Counter(MANY), "each once"
    assert watched.visits == MANY
    assert watched.rounds(whole) == Counter(MANY)


def test_who_is_served_or_has_mail_is_looked_at_in_every_round(watched):
    relay.seen(MANY[150])
    watched.mail.add(MANY[2])  # found when its turn comes, in the first round
    seen = watched.rounds(10)
    assert seen[MANY[150]] == seen[MANY[2]] == 10
    assert len(watched.visits) <= 10 * (relay.COLD + 2)


def test_who_was_busy_and_is_not_any_more_is_one_of_the_idle_again(watched):
    relay.seen(MANY[150])
    watched.rounds(int(relay.WARM / relay.SOON) + 1)
    assert watched.rounds(10)[MANY[150]] <= 1


def test_few_tenants_are_looked_at_twice_a_minute(watched):
    watched._tenants = lambda: MANY[:3]
    assert set(watched.rounds(30).values()) == {2}

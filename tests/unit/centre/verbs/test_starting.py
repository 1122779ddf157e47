"""After a loss of power `up` waits for what starts by itself, says what that is, and goes on when it does not come."""

from types import SimpleNamespace

import pytest
from docker.errors import APIError

from centre.reach.faults import Unreachable
from centre.verbs import starting
from centre.verbs.services import Health


def leaderless():
    return APIError("no leader", response=SimpleNamespace(status_code=503, reason="", url=""))


@pytest.fixture
def rounds(monkeypatch):
    """What the daemon says round by round; the last one is given for ever. Time passes with the pauses alone."""
    answers, clock = [], SimpleNamespace(now=0.0, asked=0)

    def services(_runtime):
        clock.asked += 1
        answer = answers[min(clock.asked, len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(starting, "Runtime", lambda register: SimpleNamespace(register=register))
    monkeypatch.setattr(starting, "services", services)
    monkeypatch.setattr(starting, "health", lambda service: service)
    monkeypatch.setattr(starting.time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(starting.time, "sleep", lambda seconds: setattr(clock, "now", clock.now + seconds))
    return answers, clock


UP, AWAY = Health("asp-test-edge", 1, 1, ["running"]), Health("asp-test-pki", 0, 1, ["starting"])


@pytest.mark.parametrize("healths", [[], [UP], [Health("asp-test-irat", 0, 0, [])]], ids=["none", "whole", "stopped"])
def test_nothing_to_wait_for_costs_one_look(rounds, healths):
    answers, clock = rounds
    answers.append(healths)
    spoken = []
    assert starting.wait(None, spoken.append) == ""
    assert (spoken, clock.asked, clock.now) == ([], 1, 0)


def test_it_waits_until_everything_runs_and_says_what_is_still_to_come(rounds):
    answers, clock = rounds
    answers += [[UP, AWAY], [Health("asp-test-edge", 1, 2, ["running", "preparing"]), UP], [UP]]
    spoken = []
    assert starting.wait(None, spoken.append) == ""
    assert spoken == ["1 still to come: asp-test-pki", "1 still to come: asp-test-edge"]
    assert clock.asked == 3


def test_a_swarm_that_has_no_leader_yet_is_waited_for(rounds):
    answers, _ = rounds
    answers += [leaderless(), [UP]]
    spoken = []
    assert starting.wait(None, spoken.append) == ""
    assert spoken == ["1 still to come: the Swarm"]


@pytest.mark.parametrize("several", [False, True])
def test_managers_that_start_are_waited_for_and_the_only_daemon_is_not(rounds, several):
    answers, _ = rounds
    answers += [Unreachable("no manager answers"), [UP]]
    register = SimpleNamespace(environment=SimpleNamespace(several_machines=several))
    if several:
        assert starting.wait(register, lambda _words: None) == ""
        return
    with pytest.raises(Unreachable):
        starting.wait(register, lambda _words: None)


def test_another_refusal_of_the_daemon_ends_it(rounds):
    answers, _ = rounds
    answers.append(APIError("broken", response=SimpleNamespace(status_code=500, reason="", url="")))
    with pytest.raises(APIError):
        starting.wait(None, print)


def test_what_never_comes_is_named_and_the_run_goes_on(rounds):
    answers, clock = rounds
    answers.append([UP, AWAY])
    words = starting.wait(None, lambda _words: None, seconds=30)
    assert words == "after 30 s these do not run yet, going on: asp-test-pki"
    assert 30 < clock.now < 32

"""A sign-in flow of a running realm is replaced by one that stands ready, and every step of it counts."""

import pytest

from centre.identity import flows
from centre.steps import Plan
from inventory.models import SecondFactor
from inventory.register import load
from stacks.configs import realm, sign_in_flow
from tests.unit.centre.identity.shelf import Shelf

A, B = sign_in_flow.BROWSER_FLOWS
CHOICES = tuple(sign_in_flow.browser(SecondFactor.PASSWORD, name) for name in (A, B))


class Watched(Shelf):
    """Keeps what changed a realm or its flows, in order. `after`: the change at which the run is broken off."""

    def __init__(self, import_file):
        super().__init__(import_file)
        self.changes, self.after = [], None

    def _note(self, change):
        self.changes.append(change)
        if len(self.changes) == self.after:
            raise ConnectionError("broken off")

    def create(self, *parts, body):
        answer = super().create(*parts, body=body)
        self._note("build")
        return answer

    def replace(self, *parts, body):
        super().replace(*parts, body=body)
        if not parts:
            self._note(f"use {body['browserFlow']}")

    def remove(self, *parts, body=None):
        name = parts[-1].removeprefix("flow ")
        super().remove(*parts, body=body)
        self._note(f"remove {name}")


@pytest.fixture
def shelf():
    return Watched(realm.render(load("test")))


def settle(shelf):
    plan = Plan()
    flows.settle(plan, shelf, shelf.get(), {"browserFlow": CHOICES})
    plan.carry_out()
    return plan.lines


def damage(shelf):
    shelf.flows[f"{A} clerk"]["steps"][0]["requirement"] = "ALTERNATIVE"


def test_a_realm_as_described_is_left_alone(shelf):
    assert settle(shelf) == [] and shelf.changes == []


def test_the_flow_in_use_goes_once_its_successor_is_in_use(shelf):
    damage(shelf)
    settle(shelf)
    assert shelf.changes[0] == "build" and shelf.changes[-2:] == [f"use {B}", f"remove {A}"]
    assert flows.follows(shelf, shelf.get(), "browserFlow", CHOICES)
    damage_b = shelf.flows[f"{B} clerk"]["steps"]
    damage_b[0]["requirement"] = "ALTERNATIVE"
    assert settle(shelf) == [f"browserFlow of realm asp: {B} (differs) → {A}"], "the two names take turns"


def test_a_run_that_was_broken_off_leaves_the_flow_in_use_and_the_next_begins_anew(shelf):
    damage(shelf)
    shelf.after = 4
    with pytest.raises(ConnectionError):
        settle(shelf)
    assert shelf.realm["browserFlow"] == A and B in shelf.flows
    shelf.after, shelf.changes = None, []
    settle(shelf)
    assert shelf.changes[0] == f"remove {B}"
    assert flows.follows(shelf, shelf.get(), "browserFlow", CHOICES)


def test_a_flow_of_keycloaks_own_stays(shelf):
    shelf.flows["browser"] = {"alias": "browser", "id": "flow browser", "topLevel": True, "builtIn": True, "steps": []}
    shelf.realm["browserFlow"] = "browser"
    assert settle(shelf) == [f"browserFlow of realm asp: browser → {A}"]
    assert "browser" in shelf.flows


def steps(shelf):
    return [step for flow in shelf.flows.values() if flow["alias"].startswith(A) for step in flow["steps"]]


def changes():
    """Every requirement and every setting of the flow, each made another."""
    shelf = Shelf(realm.render(load("test")))
    for number, step in enumerate(steps(shelf)):
        yield pytest.param(number, None, id=f"requirement-{step.get('providerId') or step['group']}")
        for key in shelf.configs.get(step.get("authenticationConfig"), {}):
            yield pytest.param(number, key, id=key)


CHANGES = list(changes())


def test_there_are_many_changes_to_try():
    assert len(CHANGES) > 18


@pytest.mark.parametrize(("number", "key"), CHANGES)
def test_no_step_of_a_flow_may_differ(shelf, number, key):
    step = steps(shelf)[number]
    if key is None:
        step["requirement"] = "DISABLED"
    else:
        config = shelf.configs[step["authenticationConfig"]]
        shelf.configs[step["authenticationConfig"]] = config | {key: "another"}
    assert not flows.follows(shelf, shelf.get(), "browserFlow", CHOICES)

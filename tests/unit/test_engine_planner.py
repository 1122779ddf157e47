"""The steps that follow from a registration: decided without any daemon."""

from __future__ import annotations

import pytest

from stacks.engine import urn as urns
from stacks.engine.deployment import Deployment, Options
from stacks.engine.errors import EngineError
from stacks.engine.events import Events
from stacks.engine.goal import Goal
from stacks.engine.planner import Planner
from stacks.engine.state import Resource, Snapshot
from stacks.engine.steps import Step

VOLUME = "docker:index/volume:Volume"
SECRET = "docker:index/secret:Secret"
PROVIDER = "pulumi:providers:docker"
DEFAULT = f"urn:pulumi:dev::p::{PROVIDER}::default_5_2_0::1"
NEAR = f"urn:pulumi:dev::p::{PROVIDER}::near::2"


def plain(text: str) -> str:
    return text


def volume(name: str, **options) -> Resource:
    outputs = {"name": name, "driver": "local", "driverOpts": None, "labels": [], "mountpoint": "/m", "id": name}
    inputs = {"__defaults": [], "name": name}
    return Resource(
        urn=f"urn:pulumi:dev::p::{VOLUME}::{name}",
        type=VOLUME,
        custom=True,
        id=name,
        **{"inputs": inputs, "outputs": outputs, "provider": DEFAULT, **options},
    )


def wanted(name: str, **options) -> Goal:
    inputs = {"name": name, **options.pop("inputs", {})}
    return Goal(type=VOLUME, name=options.pop("logical", name), custom=True, inputs=inputs, provider=DEFAULT, **options)


def planner(*resources: Resource, **options) -> Planner:
    deployment = Deployment("p", "dev", Snapshot(list(resources)), Options(**options), Events(), None, plain, {})
    return Planner(deployment)


def operations(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.op, urns.name_of(step.urn)) for step in steps]


@pytest.mark.parametrize("old", [DEFAULT, NEAR])
@pytest.mark.parametrize("new", [DEFAULT, NEAR, f"urn:pulumi:dev::p::{PROVIDER}::near::3"])
def test_another_provider_leaves_the_object_alone(old, new):
    goal = wanted("data")
    goal.provider = new
    (step,) = planner(volume("data", provider=old)).plan(goal)
    assert step.op == "same" and step.new.provider == new


def test_another_provider_and_another_name_is_a_replacement_for_the_name():
    goal = wanted("other", logical="data")
    goal.provider = NEAR
    steps = planner(volume("data")).plan(goal)
    assert operations(steps) == [("delete-replaced", "data"), ("replace", "data"), ("create-replacement", "data")]
    assert steps[1].keys == ["name"]


def test_a_new_resource_is_created_and_an_unchanged_one_is_the_same():
    plans = planner(volume("old"))
    assert operations(plans.plan(wanted("new"))) == [("create", "new")]
    assert operations(plans.plan(wanted("old"))) == [("same", "old")]


def test_two_resources_of_one_name_are_refused():
    plans = planner()
    plans.plan(wanted("a"))
    with pytest.raises(EngineError, match="Duplicate resource URN .*::a"):
        plans.plan(wanted("a"))


def test_a_protected_resource_is_not_replaced():
    resource = volume("a", protect=True)
    assert operations(planner(resource).plan(wanted("a"))) == [("same", "a")]
    with pytest.raises(EngineError, match="unable to replace resource .*::a.*\nas it is currently marked for protect"):
        planner(resource).plan(wanted("b", logical="a"))


def test_a_protected_dependent_is_not_deleted_for_a_replacement():
    needed = volume("a")
    dependent = volume("b", protect=True, dependencies=[needed.urn], property_dependencies={"name": [needed.urn]})
    with pytest.raises(EngineError, match="::b.*\nas part of replacing a resource that it depends on"):
        planner(needed, dependent).plan(wanted("other", logical="a"))


def test_a_replacement_takes_the_new_value_of_an_ignored_property():
    old = volume("a", inputs={"__defaults": [], "name": "a", "driverOpts": {"o": "old"}})
    old.outputs["driverOpts"] = {"o": "old"}
    same = wanted("a", inputs={"driverOpts": {"o": "new"}}, ignore_changes=["driverOpts"])
    assert operations(planner(old).plan(same)) == [("same", "a")]
    goal = wanted("b", logical="a", inputs={"driverOpts": {"o": "new"}}, ignore_changes=["driverOpts"])
    *_, creation = planner(old).plan(goal)
    assert creation.op == "create-replacement" and creation.new.inputs["driverOpts"] == {"o": "new"}
    assert creation.keys == ["name"]


def test_what_was_only_read_is_discarded_and_what_was_made_is_deleted():
    reading = volume("read", external=True)
    steps = {step.op: step for step in planner(reading, volume("made")).deletions()}
    assert {op: step.quiet for op, step in steps.items()} == {"discard": True, "delete": False}


def test_a_changed_component_is_updated_and_says_nothing_of_its_inputs():
    urn = "urn:pulumi:dev::p::t:i:Cell::c"
    component = Resource(urn=urn, type="t:i:Cell", inputs={"size": 1})
    (step,) = planner(component).plan(Goal(type="t:i:Cell", name="c", custom=False, inputs={"size": 2}))
    assert step.op == "update" and not step.keys and not step.diff


def test_a_replacement_names_every_property_that_changed():
    old = volume("a")
    goal = wanted("b", logical="a", inputs={"labels": [{"label": "l", "value": "1"}]})
    _, replace, creation = planner(old).plan(goal)
    assert replace.keys == creation.keys == ["labels", "name"]

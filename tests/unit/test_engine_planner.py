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


def goal_of(name: str, **options) -> Goal:
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
    goal = goal_of("data")
    goal.provider = new
    (step,) = planner(volume("data", provider=old)).plan(goal)
    assert step.op == "same" and step.new.provider == new


def test_another_provider_and_another_name_is_a_replacement_for_the_name():
    goal = goal_of("other", logical="data")
    goal.provider = NEAR
    steps = planner(volume("data")).plan(goal)
    assert operations(steps) == [("delete-replaced", "data"), ("replace", "data"), ("create-replacement", "data")]
    assert steps[1].keys == ["name"]


def test_a_new_resource_is_created_and_an_unchanged_one_is_the_same():
    plans = planner(volume("old"))
    assert operations(plans.plan(goal_of("new"))) == [("create", "new")]
    assert operations(plans.plan(goal_of("old"))) == [("same", "old")]


def test_two_resources_of_one_name_are_refused():
    plans = planner()
    plans.plan(goal_of("a"))
    with pytest.raises(EngineError, match="Duplicate resource URN .*::a"):
        plans.plan(goal_of("a"))


def test_a_protected_resource_is_not_replaced():
    resource = volume("a", protect=True)
    assert operations(planner(resource).plan(goal_of("a"))) == [("same", "a")]
    with pytest.raises(EngineError, match="unable to replace resource .*::a.*\nas it is currently marked for protect"):
        planner(resource).plan(goal_of("b", logical="a"))


def test_a_protected_dependent_is_not_deleted_for_a_replacement():
    needed = volume("a")
    dependent = volume("b", protect=True, dependencies=[needed.urn], property_dependencies={"name": [needed.urn]})
    with pytest.raises(EngineError, match="::b.*\nas part of replacing a resource that it depends on"):
        planner(needed, dependent).plan(goal_of("other", logical="a"))


def test_a_replacement_takes_the_new_value_of_an_ignored_property():
    old = volume("a", inputs={"__defaults": [], "name": "a", "driverOpts": {"o": "old"}})
    old.outputs["driverOpts"] = {"o": "old"}
    same = goal_of("a", inputs={"driverOpts": {"o": "new"}}, ignore_changes=["driverOpts"])
    assert operations(planner(old).plan(same)) == [("same", "a")]
    goal = goal_of("b", logical="a", inputs={"driverOpts": {"o": "new"}}, ignore_changes=["driverOpts"])
    *_, creation = planner(old).plan(goal)
    assert creation.op == "create-replacement" and creation.new.inputs["driverOpts"] == {"o": "new"}
    assert creation.keys == ["name"]


@pytest.mark.parametrize("waiting", [False, True])
def test_what_is_made_again_takes_the_new_value_of_an_ignored_property_and_a_new_name(waiting):
    old = {"__defaults": ["name"], "name": "b-0123456", "driverOpts": {"o": "old"}}
    dependent = needs("b", volume("a"), inputs=old, pending_replacement=waiting)
    dependent.outputs["driverOpts"] = {"o": "old"}
    plans = planner(volume("a"), dependent)
    if not waiting:
        plans.plan(goal_of("other", logical="a"))
    goal = goal_of("b", inputs={"driverOpts": {"o": "new"}}, ignore_changes=["driverOpts"])
    goal.inputs.pop("name")
    *_, creation = plans.plan(goal)
    assert creation.op == "create-replacement" and creation.new.inputs["driverOpts"] == {"o": "new"}
    assert creation.new.inputs["name"].startswith("b-") and creation.new.inputs["name"] != "b-0123456"


def test_what_was_only_read_is_made_when_the_program_makes_it_its_own():
    (step,) = planner(volume("a", external=True)).plan(goal_of("a"))
    assert step.op == "create" and not step.new.external


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
    goal = goal_of("b", logical="a", inputs={"labels": [{"label": "l", "value": "1"}]})
    _, replace, creation = planner(old).plan(goal)
    assert replace.keys == creation.keys == ["labels", "name"]


def provider(**options) -> Resource:
    return Resource(urn=NEAR.rsplit("::", 1)[0], type=PROVIDER, custom=True, id="2", **options)


def near(**options) -> Goal:
    return Goal(type=PROVIDER, name="near", custom=True, **options)


def needs(name: str, other: Resource, **options) -> Resource:
    """A volume whose name comes from another resource."""
    return volume(name, dependencies=[other.urn], property_dependencies={"name": [other.urn]}, **options)


def test_one_object_is_not_taken_by_two_resources():
    renamed = goal_of("a", logical="new", aliases=[volume("a").urn])
    plans = planner(volume("a"))
    assert operations(plans.plan(renamed)) == [("same", "new")]
    with pytest.raises(EngineError, match="::a' conflicting with alias on resource with URN .*::new"):
        plans.plan(goal_of("a"))
    plans = planner(volume("a"))
    plans.plan(goal_of("a"))
    with pytest.raises(EngineError, match="::a' conflicting with alias on resource with URN .*::new"):
        plans.plan(goal_of("a", logical="new", aliases=[volume("a").urn]))
    plans = planner(volume("a"))
    plans.plan(goal_of("a", logical="new", aliases=[volume("a").urn]))
    assert operations(plans.plan(goal_of("b", logical="second", aliases=[volume("a").urn]))) == [("create", "second")]


def test_what_no_target_names_is_left_alone():
    a, b = volume("a"), needs("b", volume("a"))
    changed = goal_of("other", logical="b", dependencies=[a.urn])
    for options, op in (
        ({"targets": [a.urn]}, "same"),
        ({"targets": [a.urn], "target_dependents": True}, "create-replacement"),
        ({"targets": [b.urn]}, "create-replacement"),
        ({"excludes": [b.urn]}, "same"),
        ({"excludes": [a.urn]}, "create-replacement"),
    ):
        plans = planner(a, b, **options)
        plans.plan(goal_of("a"))
        assert plans.plan(changed)[-1].op == op, options


def test_what_needs_a_resource_that_is_left_out_is_refused():
    a, b = volume("a"), volume("b")
    plans = planner(targets=[b.urn])
    assert operations(plans.plan(goal_of("a"))) == [("skip", "a")]
    with pytest.raises(EngineError, match="::b' depends on '.*::a' which is not to be made"):
        plans.plan(goal_of("b", dependencies=[a.urn]))


def test_a_resource_that_is_to_be_replaced_is_though_nothing_changed():
    steps = planner(volume("a"), replaces=[volume("a").urn]).plan(goal_of("a"))
    assert operations(steps) == [("delete-replaced", "a"), ("replace", "a"), ("create-replacement", "a")]


def test_what_a_failed_update_left_is_completed():
    settings = {"__internal": {}, "host": "ssh://a"}
    goal = near(inputs={"host": "ssh://a"})
    assert operations(planner(provider(inputs=settings)).plan(goal)) == [("same", "near")]
    goal = near(inputs={"host": "ssh://a"})
    assert operations(planner(provider(inputs=settings, init_errors=["half"])).plan(goal)) == [("update", "near")]


def test_an_update_says_what_changed_and_replaces_where_the_program_says_so():
    old = provider(inputs={"__internal": {}, "host": "ssh://a"})
    (update,) = planner(old).plan(near(inputs={"host": "ssh://b"}))
    assert update.op == "update" and update.keys == ["host"]
    steps = planner(old).plan(near(inputs={"host": "ssh://b"}, replace_on_changes=["host"]))
    assert operations(steps) == [("create-replacement", "near"), ("replace", "near")]


def test_an_ignored_property_that_somebody_changed_at_the_daemon_replaces_nothing():
    old = volume("a", inputs={"__defaults": [], "name": "a", "driverOpts": {"o": "old"}})
    old.outputs["driverOpts"] = {"o": "changed by hand"}
    goal = goal_of("a", inputs={"driverOpts": {"o": "new"}}, ignore_changes=["driverOpts"])
    assert operations(planner(old).plan(goal)) == [("same", "a")]


def test_the_program_may_have_the_new_object_before_the_old_one_goes():
    steps = planner(volume("a")).plan(goal_of("b", logical="a", delete_before_replace=False))
    assert operations(steps) == [("create-replacement", "a"), ("replace", "a")]


def test_who_needs_a_replaced_resource_goes_first_and_is_made_again():
    a = volume("a")
    b = needs("b", a)
    c = needs("c", b)
    plans = planner(a, b, c)
    steps = plans.plan(goal_of("other", logical="a"))
    deletions = [("delete-replaced", "c"), ("delete-replaced", "b"), ("delete-replaced", "a")]
    assert operations(steps) == [*deletions, ("replace", "a"), ("create-replacement", "a")]
    assert operations(plans.plan(goal_of("b"))) == [("replace", "b"), ("create-replacement", "b")]


SERVICE = "docker:index/service:Service"


def test_a_dependent_that_can_be_updated_or_was_read_or_registered_stays():
    a = volume("a")
    inputs = {"name": "s", "taskSpec": {"containerSpec": {"image": "i"}}, "labels": [{"label": "l", "value": "a"}]}
    changeable = Resource(
        urn=f"urn:pulumi:dev::p::{SERVICE}::s",
        type=SERVICE,
        custom=True,
        id="s",
        inputs=inputs,
        outputs=inputs,
        provider=DEFAULT,
        dependencies=[a.urn],
        property_dependencies={"labels": [a.urn]},
    )
    reading, registered = needs("read", a, external=True), needs("here", a)
    plans = planner(a, changeable, reading, registered)
    plans.plan(goal_of("here"))
    steps = plans.plan(goal_of("other", logical="a"))
    assert operations(steps) == [("delete-replaced", "a"), ("replace", "a"), ("create-replacement", "a")]


def test_what_a_replaced_provider_made_goes_with_it():
    old = provider(inputs={"__internal": {}, "host": "ssh://a"})
    plans = planner(old, volume("v", provider=NEAR), volume("other"))
    goal = near(inputs={"host": "ssh://b"}, replace_on_changes=["host"], delete_before_replace=True)
    assert operations(plans.plan(goal))[:2] == [("delete-replaced", "v"), ("delete-replaced", "near")]


def test_what_is_retained_stays_at_the_daemon_also_when_it_is_replaced():
    (deletion, *_) = planner(volume("a", retain_on_delete=True)).plan(goal_of("b", logical="a"))
    assert deletion.op == "delete-replaced" and deletion.quiet
    old = [volume("b", delete=True, retain_on_delete=True), volume("c", delete=True)]
    assert {step.urn[-1]: step.quiet for step in planner(*old).deletions()} == {"b": True, "c": False}


def test_what_was_deleted_for_its_replacement_is_made_again_or_forgotten():
    waiting = volume("a", pending_replacement=True)
    assert operations(planner(waiting).plan(goal_of("a"))) == [("replace", "a"), ("create-replacement", "a")]
    (step,) = planner(waiting).deletions()
    assert step.op == "remove-pending-replace" and step.quiet, "its object is gone: nobody is asked again"

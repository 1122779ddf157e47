"""What a whole run leaves behind: what is deleted, saved and refused, with a type whose objects stand on a shelf."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from stacks.engine import executor as executor_module
from stacks.engine import recovery as recovery_module
from stacks.engine import urn as urns
from stacks.engine.backend import Backend
from stacks.engine.connections import Connections
from stacks.engine.deployment import Options
from stacks.engine.display import Display
from stacks.engine.docker.base import kind_of
from stacks.engine.errors import ConnectionLost, DeploymentFailed, ProviderError, SecretsError, UnexpectedChanges
from stacks.engine.events import Events
from stacks.engine.project import Project
from stacks.engine.stack import Stack, is_no_op, refuse_changes
from stacks.engine.state import Resource, Snapshot
from stacks.engine.values import Secret

VOLUME = "docker:index/volume:Volume"
ROOT = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


class Shelf:
    """`objects`: names of those that stand there; `fails`: name → what its deletion raises."""

    timeouts = False
    fields = kind_of(VOLUME).fields

    def __init__(self):
        self.objects, self.deleted, self.fails = set(), [], {}

    def delete(self, daemon, identity, outputs, limit):
        if identity in self.fails:
            raise self.fails[identity]
        self.deleted.append(identity)
        self.objects.discard(identity)

    def read(self, daemon, identity, outputs):
        return (identity, {"name": identity}) if identity in self.objects else None


def volume(name: str, *needs: str, **options) -> Resource:
    inputs = {"name": name}
    dependencies = [urn(other) for other in needs]
    return Resource(
        urn=urn(name), type=VOLUME, custom=True, id=name, inputs=inputs, outputs=inputs, dependencies=dependencies,
        **options,
    )  # fmt: skip


def urn(name: str) -> str:
    return f"urn:pulumi:dev::p::{VOLUME}::{name}"


class Place:
    """A project with a stack `dev` in a folder of its own."""

    def __init__(self, folder: Path, shelf: Shelf):
        (folder / "Pulumi.yaml").write_text("name: p\nruntime: python\n", encoding="utf-8")
        self.project, self.shelf = Project(folder), shelf
        self.backend = Backend(f"file://{folder}", folder)
        self.backend.create("p", "dev")

    def open(self) -> Stack:
        return Stack(self.project, self.backend, "dev")

    def load(self, *resources: Resource, **more) -> Stack:
        """The stack with these resources recorded, and their objects on the shelf."""
        stack = self.open()
        stack.save(Snapshot(list(resources), **more))
        self.shelf.objects = {item.id for item in resources}
        return self.open()

    def left(self) -> list[str]:
        return [urns.name_of(item.urn) for item in self.open().snapshot().resources]

    @property
    def text(self) -> str:
        return self.backend.path("p", "dev").read_text(encoding="utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    shelf = Shelf()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "p")
    for module in (executor_module, recovery_module):
        monkeypatch.setattr(module, "kind_of", lambda token: shelf)
    monkeypatch.setattr(recovery_module, "Daemon", lambda inputs: None)
    monkeypatch.setattr(Connections, "daemon_of", lambda self, reference: None)
    return Place(tmp_path, shelf)


def destroy(stack: Stack, **options):
    with stack.locked():
        return stack.destroy(Options(**options), Events())


def test_a_destroy_takes_everything_and_forgets_it(place):
    destroy(place.load(volume("a"), volume("b", "a")))
    assert place.shelf.deleted == ["b", "a"] and place.left() == []
    assert place.backend.journal("p", "dev").read() == []


def test_a_preview_changes_neither_objects_nor_state(place):
    stack = place.load(volume("a"))
    before = place.text
    destroy(stack, preview=True)
    assert place.shelf.deleted == [] and place.text == before


def test_targets_that_others_need_are_not_destroyed_alone(place):
    resources = volume("a"), volume("b", "a"), volume("c")
    with pytest.raises(DeploymentFailed):
        destroy(place.load(*resources), targets=[urn("a")])
    assert place.shelf.deleted == []
    destroy(place.load(*resources), targets=[urn("a")], target_dependents=True)
    assert place.shelf.deleted == ["b", "a"] and place.left() == ["c"]


def test_what_is_excluded_keeps_all_that_it_needs(place):
    destroy(place.load(volume("a"), volume("b", "a"), volume("c", "b"), volume("d")), excludes=[urn("b")])
    assert sorted(place.shelf.deleted) == ["c", "d"] and place.left() == ["a", "b"]


def test_what_was_achieved_before_a_failure_is_saved(place):
    stack = place.load(volume("a"), volume("b", "a"))
    place.shelf.fails = {"a": ProviderError("in use")}
    with pytest.raises(DeploymentFailed, match="destroy failed"):
        destroy(stack)
    assert place.left() == ["a"]


def test_an_answer_that_was_lost_is_asked_for_by_the_next_run(place):
    stack = place.load(volume("a"))
    place.shelf.fails = {"a": ConnectionLost("no answer")}
    with pytest.raises(DeploymentFailed):
        destroy(stack)
    assert [record["kind"] for record in place.backend.journal("p", "dev").read()] == ["begin"]
    place.shelf.objects.clear()  # it was carried out after all
    with place.open().locked():
        pass
    assert place.left() == [] and place.backend.journal("p", "dev").read() == []


def test_what_was_only_read_is_discarded_and_said_to_be(place):
    stack, output = place.load(volume("read", external=True), volume("made")), io.StringIO()
    events = Events()
    events.listeners.append(Display("Destroying", False, stream=output))
    with stack.locked():
        stack.destroy(Options(), events)
    assert place.shelf.deleted == ["made"] and place.left() == []
    lines = output.getvalue()
    assert "Volume read discarded" in lines and "Volume read deleted" not in lines
    assert "< 1 discarded" in lines and "- 1 deleted" in lines


def test_a_refresh_counts_what_it_has_seen(place):
    root = Resource(urn=ROOT, type=urns.STACK_TYPE)
    changed = volume("changed").copy(outputs={"name": "earlier"})
    stack = place.load(root, volume("same"), changed, volume("gone"))
    place.shelf.objects.discard("gone")
    events, summaries = Events(), []
    events.listeners.append(lambda event: summaries.append(event.get("summaryEvent")))
    with stack.locked():
        stack.refresh(Options(), events)
    assert summaries[-1]["resourceChanges"] == {"delete": 1, "same": 2, "update": 1}
    assert place.left() == ["p-dev", "same", "changed"]


class Program:
    """One that has run already."""

    def stop(self):
        pass


def deploy(stack: Stack, monkeypatch, registers=(), fails=False, **options):
    """Run a program that registers these resources as they are, and then ends well or not."""

    def execute(self, work, program):
        for item in registers:
            work.deployment.news[item.urn] = item
            work.deployment._order.append(item.urn)
        if fails:
            work.deployment.events.diagnostic("error", "the program ended early")
            work.deployment.fail()

    monkeypatch.setattr(Stack, "_execute", execute)
    events = Events()
    with stack.locked():
        return stack.deploy(Options(**options), events, Program())


def test_what_the_program_has_no_more_is_deleted(place, monkeypatch):
    a, b = volume("a"), volume("b")
    deploy(place.load(a, b), monkeypatch, [a])
    assert place.shelf.deleted == ["b"] and place.left() == ["a"]


def test_what_a_program_that_failed_did_not_register_is_no_leftover(place, monkeypatch):
    stack = place.load(volume("a"), volume("b"))
    with pytest.raises(DeploymentFailed, match="update failed"):
        deploy(stack, monkeypatch, fails=True)
    assert place.shelf.deleted == [] and sorted(place.left()) == ["a", "b"]


@pytest.mark.parametrize("options", [{"targets": [urn("a")]}, {"excludes": [urn("b")]}])
def test_leftovers_outside_the_targets_stay(place, monkeypatch, options):
    deploy(place.load(volume("a"), volume("b")), monkeypatch, **options)
    assert place.shelf.deleted == ["a"] and place.left() == ["b"]


@pytest.mark.parametrize("options", [{"targets": [urn("nobody")]}, {"replaces": [urn("nobody")]}])
def test_a_target_that_is_not_there_deletes_nothing(place, monkeypatch, options):
    a = volume("a")
    with pytest.raises(DeploymentFailed):
        deploy(place.load(a, volume("b")), monkeypatch, [a], **options)
    assert place.shelf.deleted == []


def test_a_failed_run_keeps_the_outputs_of_the_stack(place, monkeypatch):
    root = Resource(urn=ROOT, type=urns.STACK_TYPE, outputs={"address": "10.0.0.1", "port": 1})
    stack = place.load(root)
    with pytest.raises(DeploymentFailed):
        deploy(stack, monkeypatch, [root.copy(outputs={"port": 2})], fails=True)
    (item,) = place.open().snapshot().resources
    assert item.outputs == {"address": "10.0.0.1", "port": 2}


def test_a_run_without_a_step_saves_what_it_has_read_and_nothing_else(place, monkeypatch):
    a, b = volume("a"), volume("b", "a", property_dependencies={"name": [urn("a"), urn("c")]})
    stack = place.load(a, volume("c"), b)
    before = place.text
    other = b.copy(property_dependencies={"name": [urn("c"), urn("a")]})
    deploy(stack, monkeypatch, [a, volume("c"), other])
    assert place.text == before, "order is an accident"
    deploy(place.open(), monkeypatch, [a, volume("c"), b.copy(protect=True)])
    assert [item.protect for item in place.open().snapshot().resources] == [False, False, True]


def test_a_wrong_passphrase_writes_nothing(place, monkeypatch):
    place.load(volume("a").copy(inputs={"name": Secret("a")}))
    before = place.text
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    with pytest.raises(SecretsError, match="incorrect passphrase"):
        place.open().save(Snapshot())
    assert place.text == before
    assert json.loads(before)["checkpoint"]["latest"]["secrets_providers"]["type"] == "passphrase"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [({"same": 3}, False), ({"same": 3, "read": 1}, False), ({"same": 3, "update": 1}, True), ({"delete": 1}, True)],
)
def test_changes_that_were_not_expected_are_refused(changes, refused):
    events = Events()
    events.changes.update(changes)
    if refused:
        with pytest.raises(UnexpectedChanges, match="changes were made: 1 to"):
            refuse_changes(events, preview=False)
    else:
        refuse_changes(events, preview=False)


def test_what_an_earlier_run_left_is_something_to_do(place, monkeypatch):
    a = volume("a")
    for resources, pending, nothing in (
        ([a], [], True),
        ([a, a.copy(delete=True, id="old")], [], False),
        ([a], [{"type": "creating", "resource": {}}], False),
        ([a, volume("b")], [], False),
    ):
        deployment = deploy(place.load(*resources, pending=pending), monkeypatch, [a], preview=True)
        assert is_no_op(deployment) is nothing


def test_a_replaced_object_whose_deletion_was_interrupted_is_deleted_by_an_update_without_changes(place, monkeypatch):
    a, old = volume("a"), volume("old").copy(urn=urn("a"), delete=True)
    stack = place.load(a, old)
    assert not is_no_op(deploy(stack, monkeypatch, [a], preview=True)), "else its record would go and it would stay"
    deploy(place.open(), monkeypatch, [a])
    assert place.shelf.deleted == ["old"] and place.left() == ["a"]

"""What an interrupted run had begun, looked up at a daemon that is none: adopted, forgotten, deleted or left open."""

from __future__ import annotations

import datetime

import pytest

from stacks.engine import recovery
from stacks.engine.errors import ProviderError
from stacks.engine.journal import Interrupted, Replay
from stacks.engine.recovery import CLOCK_MARGIN, UNFINISHED, recover
from stacks.engine.state import Resource, Snapshot

TYPE = "docker:index/service:Service"
BEGUN = 1_800_000_000.0


class Kind:
    """A type whose objects are `objects`: id → name, and when it was made (seconds after the interrupted beginning)."""

    inspect = "/services/{}"
    adoptable = True

    def __init__(self):
        self.objects, self.deleted, self.update, self.silent = {}, [], True, False

    def changeable(self):
        return self.update

    def find(self, daemon, inputs):
        if self.silent:
            raise ProviderError("no answer")
        return next((identity for identity, (name, _) in self.objects.items() if name == inputs["name"]), None)

    def read(self, daemon, identity, previous):
        if self.silent:
            raise ProviderError("no answer")
        return (identity, {"name": self.objects[identity][0]}) if identity in self.objects else None

    def delete(self, daemon, identity, previous, limit):
        self.deleted.append(identity)


class Daemon:
    def __init__(self, kind):
        self.kind = kind

    def find(self, path):
        after = self.kind.objects[path.rsplit("/", 1)[1]][1]
        moment = datetime.datetime.fromtimestamp(BEGUN + after, datetime.UTC)
        return {"CreatedAt": moment.isoformat(timespec="microseconds").replace("+00:00", "123Z")}


@pytest.fixture
def kind(monkeypatch):
    kind = Kind()
    monkeypatch.setattr(recovery, "kind_of", lambda token: kind)
    monkeypatch.setattr(recovery, "Daemon", lambda inputs: Daemon(kind))
    limits = kind.limits = []

    def once(probe, limit):
        limits.append(limit)
        return probe()

    monkeypatch.setattr(recovery, "wait_until", once)
    monkeypatch.setattr(recovery.time, "time", lambda: BEGUN + 1)
    return kind


def resource(identity="", name="a", **options):
    inputs = {"name": name}
    return Resource(
        urn=f"urn:pulumi:dev::p::{TYPE}::{name}", type=TYPE, custom=True, id=identity, inputs=inputs, outputs=inputs,
        **options,
    )  # fmt: skip


def after(op, item, *recorded):
    """What recovery makes of one interrupted operation."""
    record = {"kind": "begin", "op": op}
    snapshot = Snapshot(list(recorded))
    return recover(Replay(snapshot, [Interrupted(op, item, BEGUN, record)]), lambda text: None)


def rest(result):
    return [(item.id, item.delete, item.pending_replacement) for item in result.snapshot.resources]


@pytest.mark.parametrize(("update", "errors"), [(True, [UNFINISHED]), (False, [])])
def test_a_creation_whose_object_is_there_is_adopted_and_completed(kind, update, errors):
    kind.objects, kind.update = {"1": ("a", 2)}, update
    result = after("create", resource())
    assert rest(result) == [("1", False, False)] and result.snapshot.resources[0].init_errors == errors
    assert kind.limits == [pytest.approx(2.0)], "a daemon may still carry out what it was sent a second ago"


@pytest.mark.parametrize(("seconds", "ours"), [(-3600, False), (-CLOCK_MARGIN + 1, True), (0, True)])
def test_an_older_object_of_the_same_name_is_somebody_elses(kind, seconds, ours):
    kind.objects = {"1": ("a", seconds)}
    assert rest(after("create", resource())) == ([("1", False, False)] if ours else [])


def test_a_creation_without_an_object_is_forgotten_and_may_come_late(kind):
    result = after("create", item := resource())
    assert rest(result) == [] and result.forgotten == {item.urn: {"kind": "begin", "op": "create"}}


def test_half_an_object_of_no_use_is_removed(kind):
    kind.objects, kind.adoptable = {"1": ("a", 2)}, False
    assert rest(after("create", resource())) == [] and kind.deleted == ["1"]


def test_the_object_that_is_on_record_is_not_adopted_again(kind):
    """The replacement of the same name was not made: what is there is the old one."""
    kind.objects = {"1": ("a", 2)}
    result = after("create-replacement", resource(), resource("1"))
    assert rest(result) == [("1", False, False)] and result.snapshot.resources[0].init_errors == []
    assert rest(after("create-replacement", resource(), resource("1", pending_replacement=True))) == [
        ("1", False, False)
    ]


def test_a_replacement_that_is_there_leaves_the_old_object_to_be_deleted_unless_it_was(kind):
    kind.objects = {"2": ("a", 2)}
    assert rest(after("create-replacement", resource(), resource("1"))) == [("2", False, False), ("1", True, False)]
    waiting = resource("1", pending_replacement=True)
    assert rest(after("create-replacement", resource(), waiting)) == [("2", False, False)]


def test_an_update_that_was_cut_off_is_applied_again(kind):
    (item,) = after("update", resource("1"), resource("1")).snapshot.resources
    assert item.init_errors == [UNFINISHED]


@pytest.mark.parametrize("there", [True, False])
def test_a_deletion_is_noted_when_its_object_is_gone(kind, there):
    kind.objects = {"1": ("a", -9)} if there else {}
    assert rest(after("delete", resource("1"), resource("1"))) == ([("1", False, False)] if there else [])
    waits = not there
    assert rest(after("delete-replaced", resource("1"), resource("1"))) == [("1", False, waits)]


def test_the_object_that_took_its_place_stays_on_record(kind):
    kind.objects = {"2": ("a", 2)}
    assert rest(after("delete", resource("1"), resource("2"))) == [("2", False, False)]


def test_of_two_replaced_objects_only_the_one_that_is_gone_leaves_the_record(kind):
    one, two = resource("1", delete=True), resource("2", delete=True)
    kind.objects = {"2": ("a", 2)}
    assert rest(after("delete-replaced", one, one, two)) == [("2", True, False)]


def test_what_cannot_be_asked_is_left_to_the_next_run(kind):
    kind.silent = True
    for op, item in (("create", resource()), ("delete", resource("1"))):
        result = after(op, item, resource("1"))
        assert result.open_records == [{"kind": "begin", "op": op}] and rest(result) == [("1", False, False)]

"""Checkpoint, journal, locks: what a crash leaves behind is found again, damage is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from stacks.engine.backend import Backend
from stacks.engine.errors import LockedError, StackNotFound, StateError, UsageError
from stacks.engine.journal import Journal, in_dependency_order, replay
from stacks.engine.state import Resource, Snapshot, parse_checkpoint

ROOT = "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"


def resource(name: str, **more) -> Resource:
    kind = "docker:index/volume:Volume"
    return Resource(urn=f"urn:pulumi:dev::p::{kind}::{name}", type=kind, custom=True, id=name, **more)


def plain(text: str) -> str:
    return text


def record(kind: str, op: str, item: Resource) -> dict:
    return {"kind": kind, "op": op, "resource": item.to_json(plain)}


@pytest.fixture
def backend(tmp_path) -> Backend:
    backend = Backend(f"file://{tmp_path}", tmp_path)
    backend.create("p", "dev")
    return backend


def test_a_checkpoint_survives_saving_and_loading(backend):
    snapshot = Snapshot([resource("a"), resource("b", dependencies=[resource("a").urn])], salt="v1:x")
    backend.save("p", "dev", snapshot.deployment(plain))
    again = Snapshot.from_deployment(backend.load("p", "dev")["latest"], plain)
    assert again.resources == snapshot.resources and again.salt == "v1:x"
    assert backend.stacks() == [("p", "dev")]


def test_fields_of_a_newer_cli_are_carried_through():
    raw = {**resource("a").to_json(plain), "hideDiff": ["x"], "sourcePosition": "project:///m.py#1,1"}
    assert Resource.from_json(raw, plain).to_json(plain) == raw


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is corrupt"), ('{"version": 2, "checkpoint": {}}', "has version 2"), ("[]", "has version 'list'")],
)
def test_a_damaged_checkpoint_is_told(text, message):
    with pytest.raises(StateError, match=message):
        parse_checkpoint(text, "x.json")


def test_a_checkpoint_with_a_dangling_reference_is_told():
    broken = Snapshot([resource("b", dependencies=[resource("a").urn])]).deployment(plain)
    with pytest.raises(StateError, match=r"Volume::b refers to .*Volume::a, which does not come before"):
        Snapshot.from_deployment(broken, plain)


def test_a_missing_stack_names_those_that_are_there(backend):
    with pytest.raises(StackNotFound, match="no stack named 'prod' found .*known stacks: dev"):
        backend.load("p", "prod")


@pytest.mark.parametrize("name", ["a/b", "", "x" * 101, "á"])
def test_odd_stack_names_are_refused(backend, name):
    with pytest.raises(UsageError, match="is not allowed"):
        backend.create("p", name)


def test_only_file_backends(tmp_path):
    with pytest.raises(UsageError, match="only file://"):
        Backend("s3://bucket", tmp_path)


def test_replay_adds_what_the_journal_has():
    before = Snapshot([resource("old"), resource("gone")])
    new = resource("new", dependencies=[resource("old").urn])
    result = replay(
        before,
        [
            record("begin", "create", new.copy(id="")),
            record("done", "create", new),
            record("begin", "delete", resource("gone")),
            record("gone", "delete", resource("gone")),
            record("begin", "create", resource("half").copy(id="")),
            record("begin", "update", resource("old")),
            record("failed", "update", resource("old")),
        ],
        plain,
    )
    assert [item.id for item in result.snapshot.resources] == ["old", "new"]
    assert [(item.op, item.resource.urn) for item in result.interrupted] == [("create", resource("half").urn)]


@pytest.mark.parametrize("op", ["update", "create", "delete"])
def test_replay_leaves_what_failed_as_it_was(op):
    item = resource("new") if op == "create" else resource("old").copy(inputs={"label": "other"})
    result = replay(Snapshot([resource("old")]), [record("begin", op, item), record("failed", op, item)], plain)
    assert [(one.id, one.inputs) for one in result.snapshot.resources] == [("old", resource("old").inputs)]
    assert result.interrupted == []


def test_replay_of_a_replacement_that_was_cut_off_knows_the_old_object_once():
    condemned = resource("a").copy(delete=True, id="one")
    result = replay(Snapshot([resource("a").copy(id="one")]), [record("done", "condemn", condemned)], plain)
    assert [(item.id, item.delete) for item in result.snapshot.resources] == [("one", True)]


def test_replay_follows_a_new_name():
    before = Snapshot([resource("a"), resource("b", dependencies=[resource("a").urn])])
    renamed = resource("c").copy(id="a")
    result = replay(
        before,
        [{"kind": "alias", "old": resource("a").urn, "new": renamed.urn}, record("done", "update", renamed)],
        plain,
    )
    assert [item.urn for item in result.snapshot.resources] == [renamed.urn, resource("b").urn]
    assert result.snapshot.resources[1].dependencies == [renamed.urn]


def test_replay_keeps_a_renamed_resource_that_did_not_change():
    before = Snapshot([resource("a"), resource("b", dependencies=[resource("a").urn])])
    result = replay(before, [{"kind": "alias", "old": resource("a").urn, "new": resource("c").urn}], plain)
    assert [(item.urn, item.id) for item in result.snapshot.resources] == [
        (resource("c").urn, "a"),
        (resource("b").urn, "b"),
    ]
    assert result.snapshot.resources[1].dependencies == [resource("c").urn]


def test_replay_tells_a_new_resource_from_the_one_whose_name_it_takes():
    """In one run "a" is renamed to "c", and another "a" is made."""
    another = resource("a").copy(id="another")
    result = replay(
        Snapshot([resource("a")]),
        [{"kind": "alias", "old": resource("a").urn, "new": resource("c").urn}, record("done", "create", another)],
        plain,
    )
    assert sorted((item.urn, item.id) for item in result.snapshot.resources) == [
        (resource("a").urn, "another"),
        (resource("c").urn, "a"),
    ]


def test_a_replaced_resource_is_kept_until_it_is_deleted():
    condemned = resource("a").copy(delete=True, id="one")
    result = replay(
        Snapshot([resource("a").copy(id="one")]),
        [record("done", "condemn", condemned), record("done", "create-replacement", resource("a").copy(id="two"))],
        plain,
    )
    assert sorted((item.id, item.delete) for item in result.snapshot.resources) == [("one", True), ("two", False)]
    rest = replay(result.snapshot, [record("gone", "delete-replaced", condemned)], plain)
    assert [item.id for item in rest.snapshot.resources] == ["two"]


def test_a_journal_cut_in_the_middle_loses_only_its_last_line(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.open()
    journal.write({"kind": "done", "resource": {}, "n": 1})
    journal.write({"kind": "done", "resource": {}, "n": 2})
    raw = (tmp_path / "j").read_bytes()
    first, second = raw.index(b"\n"), raw.rindex(b"\n")  # a record counts from its last byte on
    for cut in range(len(raw) + 1):
        (tmp_path / "j").write_bytes(raw[:cut])
        numbers = [item["n"] for item in Journal(tmp_path / "j").read()]
        assert numbers == [1, 2][: (cut >= first) + (cut >= second)]


def test_a_journal_damaged_inside_is_told(tmp_path):
    good = '{"kind":"done","resource":{}}\n'
    (tmp_path / "j").write_text(good + '{"n":\n' + good, encoding="utf-8")
    with pytest.raises(StateError, match="damaged at line 2"):
        Journal(tmp_path / "j").read()


def test_order_follows_dependencies():
    a, b, c = resource("a"), resource("b"), resource("c")
    b.dependencies, c.dependencies = [c.urn], [a.urn]
    assert [item.id for item in in_dependency_order([b, c, a])] == ["a", "c", "b"]


def test_a_living_owner_is_named(backend):
    with (
        backend.lock("p", "dev"),
        pytest.raises(LockedError, match=rf"@{socket.gethostname()} \(pid {os.getpid()}\), age \d+ s"),
        backend.lock("p", "dev"),
    ):
        pytest.fail("two owners at once")
    with backend.lock("p", "dev"):
        pass


def test_a_dead_owners_lock_is_taken_over(backend):
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        ended.wait()
    folder = backend.root / "locks" / "organization" / "p" / "dev"
    folder.mkdir(parents=True)
    owner = {"pid": ended.pid, "hostname": socket.gethostname(), "username": "x", "timestamp": "2026-01-01T00:00:00Z"}
    (folder / "dead.json").write_text(json.dumps(owner), encoding="utf-8")
    with backend.lock("p", "dev"):
        assert not (folder / "dead.json").exists()


def test_another_machines_lock_is_never_taken_over(backend):
    folder = backend.root / "locks" / "organization" / "p" / "dev"
    folder.mkdir(parents=True)
    owner = {"pid": 1, "hostname": "elsewhere", "username": "x", "timestamp": "2026-01-01T00:00:00Z"}
    (folder / "far.json").write_text(json.dumps(owner), encoding="utf-8")
    with pytest.raises(LockedError, match="x@elsewhere"), backend.lock("p", "dev"):
        pytest.fail("took another machine's lock")
    assert backend.break_locks("p", "dev") == [owner]


def test_stacks_do_not_disturb_each_other(backend):
    backend.create("p", "other")
    with backend.lock("p", "dev"), backend.lock("p", "other"):
        assert len(backend.owners("p", "dev")) == 1


def test_a_lock_tells_the_cli_of_the_journal_and_the_engine_only_of_its_owner(backend):
    with backend.lock("p", "dev"):
        ((_, owner),) = backend.owners("p", "dev")
        with pytest.raises(LockedError) as refusal, backend.lock("p", "dev"):
            pytest.fail("two owners at once")
    assert "run `python -m stacks.engine cancel` before `pulumi cancel`" in owner["username"]
    assert "pulumi cancel" not in str(refusal.value)


def test_a_journal_without_records_leaves_no_file_and_one_that_is_refused_neither(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.write({"kind": "done"})
    journal.open()
    assert not (tmp_path / "j").exists() and not journal.has_records

    def refuse():
        raise StateError("wrong passphrase")

    journal.open(refuse)
    with pytest.raises(StateError, match="wrong passphrase"):
        journal.write({"kind": "done", "resource": {}})
    assert not (tmp_path / "j").exists() and not journal.has_records
    journal.open()
    journal.write({"kind": "done", "resource": {}})
    assert journal.has_records and len(journal.read()) == 1


def test_replay_tells_two_deletions_of_one_name_apart():
    one, two = (resource("a").copy(id=identity, delete=True) for identity in ("one", "two"))
    records = [record("begin", "delete-replaced", one), record("begin", "delete-replaced", two)]
    result = replay(Snapshot([one, two]), [*records, record("gone", "delete-replaced", one)], plain)
    assert [item.resource.id for item in result.interrupted] == ["two"]
    assert [item.id for item in result.snapshot.resources] == ["two"]


def test_a_step_is_on_record_before_the_next_begins_and_for_its_owner_alone(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.open()
    journal.write({"kind": "begin", "resource": {}})
    assert len(Journal(tmp_path / "j").read()) == 1
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_a_lock_whose_process_number_is_anothers_now_is_taken_over(backend):
    folder = backend.root / "locks" / "organization" / "p" / "dev"
    folder.mkdir(parents=True)
    owner = {"pid": os.getpid(), "hostname": socket.gethostname(), "username": "x", "started": "1"}
    (folder / "reused.json").write_text(json.dumps(owner), encoding="utf-8")
    with backend.lock("p", "dev"):
        assert not (folder / "reused.json").exists()


def test_the_checkpoint_before_stays_beside_the_new_one(backend):
    for name in ("a", "b"):
        backend.save("p", "dev", Snapshot([resource(name)]).deployment(plain))
    before = json.loads((backend.root / "stacks" / "p" / "dev.json.bak").read_text(encoding="utf-8"))
    assert [item["id"] for item in before["checkpoint"]["latest"]["resources"]] == ["a"]


def test_what_is_to_be_deleted_may_need_what_is_gone():
    waiting = resource("b", dependencies=[resource("a").urn]).copy(delete=True)
    again = Snapshot.from_deployment(Snapshot([waiting]).deployment(plain), plain)
    assert again.resources == [waiting]


def test_another_secrets_provider_is_refused():
    deployment = {**Snapshot([resource("a")]).deployment(plain), "secrets_providers": {"type": "cloud"}}
    with pytest.raises(StateError, match="secrets provider 'cloud' is not supported"):
        Snapshot.from_deployment(deployment, plain)


def test_a_resource_ends_with_the_other_one_under_its_new_name_too():
    needed = resource("a")
    item = resource("b", deleted_with=needed.urn, parent=needed.urn, provider=f"{needed.urn}::7")
    renamed = item.renamed({needed.urn: resource("c").urn})
    assert renamed.deleted_with == renamed.parent == resource("c").urn and renamed.provider.endswith("Volume::c::7")


@pytest.mark.parametrize(
    ("field", "value", "kind"), [("dependencies", "a", "list"), ("protect", "yes", "bool"), ("inputs", [], "dict")]
)
def test_a_record_with_a_field_of_another_kind_is_told(field, value, kind):
    with pytest.raises(StateError, match=f"Volume::a is damaged: {field} is .*, wanted a {kind}"):
        Resource.from_json({**resource("a").to_json(plain), field: value}, plain)

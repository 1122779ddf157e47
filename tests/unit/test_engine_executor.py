"""Steps carried out against a daemon that is none: what is asked of it, recorded and told."""

from __future__ import annotations

import pytest

from stacks.engine import executor as executor_module
from stacks.engine.connections import Connections
from stacks.engine.deployment import Deployment, Options
from stacks.engine.docker import container
from stacks.engine.docker.base import kind_of
from stacks.engine.docker.daemon import DaemonError
from stacks.engine.errors import ConnectionLost, EngineError, PartialError, ProviderError, Unfinished
from stacks.engine.events import Events
from stacks.engine.executor import Executor
from stacks.engine.goal import Goal
from stacks.engine.planner import Planner
from stacks.engine.state import Resource, Snapshot
from stacks.engine.steps import Change, Creation, Deletion

VOLUME = "docker:index/volume:Volume"
URN = f"urn:pulumi:dev::p::{VOLUME}::v"


def plain(text: str) -> str:
    return text


class Refusing(Connections):
    """Every daemon refuses everything."""

    def daemon_of(self, reference: str):
        raise ProviderError("pool overlaps")


def test_a_creation_that_is_refused_is_told_in_the_clis_words():
    events = Events()
    deployment = Deployment("p", "dev", Snapshot(), Options(), events, None, plain, {})
    steps = Planner(deployment).plan(Goal(type=VOLUME, name="v", custom=True, inputs={"name": "v"}))
    with pytest.raises(EngineError, match="pool overlaps"):
        Executor(deployment, Refusing(deployment)).run_chain(steps)
    assert events.errors == ["1 error occurred:\n\t* pool overlaps"]
    assert deployment.failed.is_set() and deployment.result().resources == []


class WithoutImage:
    """A daemon that lacks an image, with a registry that has it or not."""

    def __init__(self, pullable: bool):
        self.known, self.pulled = pullable, []

    def find(self, path):
        return None

    def registry_auth(self, name):
        return {}

    def events(self, path, params, headers):
        self.pulled.append((params["fromImage"], params["tag"]))
        yield {"status": "Pulling"} if self.known else {"error": "manifest unknown"}

    def post(self, path, **options):
        raise DaemonError(500, "enough")


def test_a_missing_image_is_pulled_before_its_container_is_made():
    daemon = WithoutImage(pullable=True)
    with pytest.raises(DaemonError, match="Unable to create container: .*enough"):
        container.KIND.create(daemon, {"name": "c", "image": "reg:5000/i:2"}, None)
    assert daemon.pulled == [("reg:5000/i", "2")]


def test_an_image_that_cannot_be_had_is_named():
    with pytest.raises(DaemonError, match="container with image i:2: unable to pull image i:2: .*manifest unknown"):
        container.KIND.create(WithoutImage(pullable=False), {"name": "c", "image": "i:2"}, None)


class Lines:
    """A journal in memory."""

    def __init__(self):
        self.records = []

    def write(self, record):
        self.records.append(record)

    def short(self):
        return [(record["kind"], record["op"]) for record in self.records]


class Shelf:
    """A type whose objects stand on a shelf. `fails`: call → error; `calls`: what was asked, after how many lines."""

    fields = kind_of(VOLUME).fields
    timeouts = True

    def __init__(self, journal):
        self.journal, self.objects, self.calls, self.fails = journal, {}, [], {}

    def _note(self, call, identity, limit=None):
        self.calls.append((call, identity))
        self.before, self.limit = self.journal.short(), limit
        if error := self.fails.get((call, identity)):
            raise error

    def create(self, daemon, inputs, limit):
        self._note("create", inputs["name"], limit)
        return inputs["name"], {"name": inputs["name"]}

    def update(self, daemon, identity, inputs, outputs, limit):
        self._note("update", identity, limit)
        return {"name": inputs["name"], "id": identity}

    def delete(self, daemon, identity, outputs, limit):
        self._note("delete", identity, limit)

    def read(self, daemon, identity, outputs):
        self._note("read", identity)
        return self.objects.get(identity)


class Run:
    """An executor over these recorded resources, whose daemon is a shelf."""

    def __init__(self, patch, *resources, **options):
        self.journal, self.events = Lines(), Events()
        self.shelf = Shelf(self.journal)
        patch.setattr(executor_module, "kind_of", lambda token: self.shelf)
        self.deployment = Deployment(
            "p", "dev", Snapshot(list(resources)), Options(**options), self.events, self.journal, plain, {}
        )
        connections = Connections(self.deployment)
        patch.setattr(connections, "daemon_of", lambda reference: None)
        self.executor = Executor(self.deployment, connections)

    def delete(self, *resources, op="delete", quiet=False):
        steps = [Deletion(op=op, urn=item.urn, type=item.type, old=item, quiet=quiet) for item in resources]
        self.executor.run_deletions(steps)

    def create(self, item, op="create", old=None, **options):
        goal = Goal(type=item.type, name=item.id, custom=True, **options)
        return self.executor.apply(Creation(op=op, urn=item.urn, type=item.type, old=old, new=item, goal=goal))

    def change(self, old, new, op="update"):
        goal = Goal(type=new.type, name=old.id, custom=True)
        return self.executor.apply(Change(op=op, urn=new.urn, type=new.type, old=old, new=new, goal=goal))

    def left(self):
        return [(item.id, item.delete) for item in self.deployment.result().resources]


def resource(name, **options):
    inputs = {"name": name}
    urn = f"urn:pulumi:dev::p::{VOLUME}::{options.pop('logical', name)}"
    return Resource(
        urn=urn, type=VOLUME, custom=True, id=name, **{"inputs": inputs, "outputs": dict(inputs), **options}
    )


def chain():
    a = resource("a")
    b = resource("b", dependencies=[a.urn])
    return a, b, resource("c", dependencies=[b.urn])


def test_dependents_are_deleted_first_each_after_a_line_in_the_journal(monkeypatch):
    a, b, c = chain()
    run = Run(monkeypatch, a, b, c)
    run.delete(a, b, c)
    assert run.shelf.calls == [("delete", "c"), ("delete", "b"), ("delete", "a")]
    assert run.journal.short() == [("begin", "delete"), ("gone", "delete")] * 3
    assert run.shelf.before == [("begin", "delete"), ("gone", "delete")] * 2 + [("begin", "delete")]
    assert run.left() == [] and run.deployment.leftovers() == []


def test_what_another_needs_stays_when_that_one_could_not_be_deleted(monkeypatch):
    a, b, c = chain()
    run = Run(monkeypatch, a, b, c, continue_on_error=True)
    run.shelf.fails[("delete", "b")] = ProviderError("volume is in use")
    with pytest.raises(EngineError, match="in use"):
        run.delete(a, b, c)
    assert run.shelf.calls == [("delete", "c"), ("delete", "b")]
    assert run.left() == [("a", False), ("b", False)]
    assert run.deployment.faulty and not run.deployment.failed.is_set(), "the run goes on with what it may"


def test_a_protected_resource_is_not_deleted(monkeypatch):
    a = resource("a", protect=True)
    run = Run(monkeypatch, a)
    with pytest.raises(EngineError, match="because it is protected"):
        run.delete(a)
    assert run.shelf.calls == [] and run.left() == [("a", False)]
    assert run.deployment.failed.is_set()


@pytest.mark.parametrize("how", ["quiet", "preview"])
def test_a_quiet_deletion_and_a_preview_ask_nobody(monkeypatch, how):
    a = resource("a")
    run = Run(monkeypatch, a, preview=how == "preview")
    run.delete(a, quiet=how == "quiet")
    assert run.shelf.calls == []


def test_the_programs_time_limit_holds_for_its_operation(monkeypatch):
    limits = {"create": 5.0, "delete": 7.0}
    a = resource("a", custom_timeouts=limits)
    run = Run(monkeypatch, a)
    run.delete(a)
    assert run.shelf.limit == 7.0
    run.create(resource("b"), custom_timeouts=limits)
    assert run.shelf.limit == 5.0
    run.shelf.timeouts = False  # of a type whose limits the provider ignores, with a warning
    run.create(resource("c"), custom_timeouts=limits)
    assert run.shelf.limit is None


def test_a_creation_is_in_the_journal_before_it_begins_and_when_it_is_done(monkeypatch):
    run = Run(monkeypatch)
    assert run.create(resource("a")).outputs == {"name": "a"}
    assert run.shelf.before == [("begin", "create")]
    assert run.journal.short() == [("begin", "create"), ("done", "create")]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderError("refused"), "failed"),
        (ConnectionLost("no answer"), "begin"),  # it may have been carried out
        (Unfinished("made, and not started"), "begin"),
        (KeyError("Id"), "begin"),
    ],
)
def test_what_may_have_been_carried_out_is_looked_up_by_the_next_run(monkeypatch, error, kind):
    run = Run(monkeypatch)
    run.shelf.fails[("create", "a")] = error
    with pytest.raises(EngineError):
        run.create(resource("a"))
    assert run.journal.short()[1:] == ([("failed", "create")] if kind == "failed" else [])
    assert [record["kind"] for record in run.deployment.unsettled] == ([] if kind == "failed" else ["begin"])


def test_a_name_that_an_earlier_creation_took_after_all_is_looked_up_again(monkeypatch):
    run = Run(monkeypatch)
    earlier = {"kind": "begin", "op": "create", "time": 1.0}
    run.deployment.forgotten[resource("a").urn] = earlier
    run.shelf.fails[("create", "a")] = DaemonError(409, "the name is taken")
    with pytest.raises(EngineError):
        run.create(resource("a"))
    assert run.deployment.unsettled == [earlier]


def test_a_failed_step_is_told_as_one(monkeypatch):
    run = Run(monkeypatch)
    failures = []
    monkeypatch.setattr(run.events, "failed", failures.append)
    run.shelf.fails[("create", "a")] = ProviderError("refused")
    with pytest.raises(EngineError):
        run.create(resource("a"))
    assert [step.op for step in failures] == ["create"]


@pytest.mark.parametrize("waiting", ["", "old", "record"])
def test_a_replaced_object_is_kept_to_be_deleted_unless_it_was_deleted_before(monkeypatch, waiting):
    old, new = resource("a"), resource("b", logical="a")
    recorded = resource("a", pending_replacement=bool(waiting))
    run = Run(monkeypatch, recorded)
    run.create(new, "create-replacement", recorded if waiting == "old" else old)
    assert run.left() == ([("b", False)] if waiting else [("b", False), ("a", True)])
    assert (("done", "condemn") in run.journal.short()) is not bool(waiting)


def test_what_is_deleted_for_its_replacement_is_known_until_that_is_made(monkeypatch):
    a = resource("a")
    run = Run(monkeypatch, a)
    run.delete(a, op="delete-replaced")
    (rest,) = run.deployment.result().resources
    assert rest.pending_replacement and run.journal.short()[-1] == ("done", "delete-replaced")


def test_of_two_replaced_objects_of_one_name_the_other_stays_known(monkeypatch):
    one, two = resource("one", logical="a", delete=True), resource("two", logical="a", delete=True)
    run = Run(monkeypatch, one, two)
    run.delete(one, op="delete-replaced")
    assert run.left() == [("two", True)] and run.journal.short()[-1] == ("gone", "delete-replaced")


def test_an_update_is_in_the_journal_and_gives_new_outputs(monkeypatch):
    old, new = resource("a"), resource("a", inputs={"name": "a", "labels": []})
    run = Run(monkeypatch, old)
    assert run.change(old, new).id == "a"
    assert run.journal.short() == [("begin", "update"), ("done", "update")]


def test_a_half_update_is_known_as_one_with_the_inputs_that_hold(monkeypatch):
    old, new = resource("a"), resource("a", inputs={"name": "a", "driver": "other"})
    run = Run(monkeypatch, old)
    run.shelf.fails[("update", "a")] = PartialError("does not converge", {"name": "a", "driver": "other"}, "a")
    with pytest.raises(EngineError, match="does not converge"):
        run.change(old, new)
    (rest,) = run.deployment.result().resources
    assert rest.inputs == old.inputs and rest.outputs["driver"] == "other"
    assert "does not converge" in rest.init_errors[0]


def test_an_unchanged_resource_keeps_what_is_recorded_of_it(monkeypatch):
    old = resource("a", init_errors=["half"], extra={"hideDiff": ["x"]}, created="2026-01-01T00:00:00Z")
    run = Run(monkeypatch, old)
    new = run.change(old, resource("a").copy(id=""), op="same")
    assert (new.id, new.init_errors, new.extra, new.created) == ("a", ["half"], {"hideDiff": ["x"]}, old.created)
    assert run.journal.records == []


def test_a_refresh_takes_over_what_is_there_and_settles_what_an_update_left(monkeypatch):
    half, absent = resource("half", init_errors=["does not converge"]), resource("gone")
    waiting, other = resource("waiting", pending_replacement=True), resource("other")
    run = Run(monkeypatch, half, absent, waiting, other, targets=[half.urn, absent.urn, waiting.urn])
    run.shelf.objects = {"half": ("half", {"name": "half", "driver": "x"}), "waiting": ("waiting", {})}
    run.executor.refresh()
    assert sorted(run.shelf.calls) == [("read", "gone"), ("read", "half")]
    assert run.left() == [("half", False), ("other", False)]
    assert run.deployment.olds[half.urn].init_errors == []

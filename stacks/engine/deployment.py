"""The record of one run over one stack: what the last run left, what the program wants, what has been achieved."""

from __future__ import annotations

import contextlib
import fnmatch
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from stacks.engine.docker.daemon import DaemonError
from stacks.engine.errors import ConnectionLost, EngineError, Unfinished
from stacks.engine.events import Events
from stacks.engine.journal import Journal, in_dependency_order
from stacks.engine.state import Resource, Snapshot
from stacks.engine.steps import Deletion, Step
from stacks.engine.values import reseal

CONFLICT = 409  # HTTP status: the name is taken


class Patterns:
    """URNs as the command line names them; `*` stands for any text."""

    def __init__(self, patterns: list[str]):
        self.patterns = patterns

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def missing(self, urns: set[str]) -> list[str]:
        """Those without a wildcard that name no known resource."""
        return [pattern for pattern in self.patterns if "*" not in pattern and pattern not in urns]

    def name(self, urn: str) -> bool:
        """Whether one of them names the resource."""
        return any(urn == pattern or fnmatch.fnmatchcase(urn, pattern) for pattern in self.patterns)


class Selection:
    """What a run may touch: `--target` (with what depends on it, when so asked), or all but `--exclude`."""

    def __init__(self, targets: list[str], excludes: list[str], dependents: bool = False):
        self.targets, self.excludes, self.dependents = Patterns(targets), Patterns(excludes), dependents
        self._dependents: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self.targets or self.excludes)

    def covers(self, urn: str) -> bool:
        """Whether the resource may be touched."""
        if self.targets:
            return urn in self._dependents or self.targets.name(urn)
        return not self.excludes.name(urn)

    def follow(self, urn: str, needs: list[str]) -> None:
        """Cover a resource, too, that needs one of the targets."""
        if self.targets and self.dependents and any(self.covers(need) for need in needs):
            self._dependents.add(urn)


@dataclass
class Options:
    """How to run. `parallel`: operations at a time. `targets`, `excludes` and `replaces`: patterns of URNs."""

    preview: bool = False
    parallel: int = 16
    targets: list[str] = field(default_factory=list)
    target_dependents: bool = False
    excludes: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    continue_on_error: bool = False
    organization: str = "organization"


class Deployment:
    """Shared state of a run. Every method that records holds `lock`; so do callers that plan."""

    def __init__(
        self,
        project: str,
        stack: str,
        snapshot: Snapshot,
        options: Options,
        events: Events,
        journal: Journal | None,
        sealer: Callable[[str], str],
        config: dict[str, str],
    ):
        self.project, self.stack = project, stack
        self.options = options
        self.events = events
        self.config = config
        self.lock = threading.RLock()
        self.selection = Selection(options.targets, options.excludes, options.target_dependents)
        self.replaces = Patterns(options.replaces)
        self.snapshot = snapshot
        self.olds = {item.urn: item for item in snapshot.resources if not item.delete}
        self.pending_deletes = [item for item in snapshot.resources if item.delete]
        self.news: dict[str, Resource] = {}
        self.removals: set[str] = set()  # old URNs whose object is deleted
        self.aliases: dict[str, str] = {}  # old URN -> new URN
        self.skipped: set[str] = set()  # URNs outside the targets
        self.unsettled: list[dict] = []  # journal records of operations whose outcome is not known
        self.forgotten: dict[str, dict] = {}  # URN -> journal record of an earlier creation that left no object
        self.failed = threading.Event()  # nothing more is begun
        self.faulty = False  # something has failed, whether or not the run goes on
        self.secret_keys: list[str] = []
        self.preview_dependent = False  # the program behaves differently in a preview
        self._requests = 0
        self._idle = threading.Condition()
        self._journal = journal
        self._sealer = sealer
        self._order: list[str] = []
        self._dependents: dict[str, list[Resource]] | None = None

    # -- failures

    def fail(self) -> None:
        """Note a failure. It ends the run, unless the run is to go on with what does not depend on it."""
        self.faulty = True
        if not self.options.continue_on_error:
            self.failed.set()

    # -- requests under way

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as under way, so that nothing is saved before it has recorded its result."""
        with self._idle:
            self._requests += 1
        try:
            yield
        finally:
            with self._idle:
                self._requests -= 1
                self._idle.notify_all()

    def drain(self) -> None:
        """Wait until no request is under way. Every operation has a time limit of its own."""
        with self._idle:
            self._idle.wait_for(lambda: self._requests == 0)

    # -- recorded resources

    def dependents_of(self, urn: str) -> list[Resource]:
        """Recorded resources that need `urn` directly or not, each after those it needs."""
        if self._dependents is None:
            self._dependents = {}
            for item in self.olds.values():
                for link in item.links():
                    self._dependents.setdefault(link, []).append(item)
        reached: set[str] = set()
        queue = [urn]
        while queue:
            for item in self._dependents.get(queue.pop(), ()):
                if item.urn not in reached and item.urn != urn:
                    reached.add(item.urn)
                    queue.append(item.urn)
        return [item for item in self.olds.values() if item.urn in reached]

    def leftovers(self) -> list[Resource]:
        """Recorded resources that the program has not registered."""
        return [
            item.renamed(self.aliases)
            for urn, item in self.olds.items()
            if urn not in self.news and urn not in self.aliases and urn not in self.removals and urn not in self.skipped
        ]

    def result(self) -> Snapshot:
        """The stack as of now, each resource after those it needs."""
        with self.lock:
            return Snapshot(in_dependency_order(self.resources()), [], self.snapshot.salt, self.snapshot.metadata)

    def resources(self) -> list[Resource]:
        """The stack's resources as of now, in no order that counts."""
        with self.lock:
            # An aliased resource whose step failed is not among the news: it stays, under its new URN.
            names = {urn: self.current_urn(urn) for urn in self.olds}
            remaining = [
                item.renamed(self.aliases).known_as(names[urn])
                for urn, item in self.olds.items()
                if names[urn] not in self.news and urn not in self.removals
            ]
            return [self.news[urn] for urn in self._order if urn in self.news] + remaining + self.pending_deletes

    def current_urn(self, urn: str) -> str:
        """URN under which a recorded resource is known now."""
        return self.aliases.get(urn, urn)

    # -- recording

    def alias(self, old: str, new: str) -> None:
        """Note that a recorded resource is registered under a new URN."""
        self.aliases[old] = new
        self._write({"kind": "alias", "old": old, "new": new})

    def begin(self, step: Step) -> None:
        """Note that an operation is about to touch the daemon."""
        step.start = time.time()
        if self._journal is not None:
            resource = self._journal_form(step).to_json(self._sealer)
            self._write({"kind": "begin", "op": step.op, "time": step.start, "resource": resource})

    def record(self, step: Step, resource: Resource) -> None:
        """Record a resource's new state."""
        with self.lock:
            if resource.urn not in self.news:
                self._order.append(resource.urn)
            self.news[resource.urn] = resource
            if step.op not in ("same", "skip"):
                self._write_end(step.op, resource)

    def record_outputs(self, urn: str, outputs: dict) -> None:
        """Outputs of a component (or of the stack itself)."""
        with self.lock:
            resource = self.news.get(urn)
            if resource is None:
                raise EngineError(f"outputs were registered for {urn}, which is not a resource of this run")
            old = self.olds.get(urn)
            resource = resource.copy(outputs=reseal(outputs, old.outputs) if old else outputs)
            self.news[urn] = resource
            if old is None or old.outputs != resource.outputs:
                self._write_end("outputs", resource)

    def restore_outputs(self, urn: str) -> None:
        """Give a resource its recorded outputs back where this run has registered none: a failed run loses nothing."""
        with self.lock:
            old, new = self.olds.get(urn), self.news.get(urn)
            if new is not None:
                self.news[urn] = new.copy(outputs={**(old.outputs if old else {}), **new.outputs})

    def observed(self, old: Resource, fresh: Resource | None) -> None:
        """Take over what a refresh has read; `fresh` is None when the object is gone."""
        with self.lock:
            if fresh is None:
                self.removals.add(old.urn)
                self.olds.pop(old.urn, None)
            else:
                self.olds[old.urn] = fresh

    def keep_for_deletion(self, old: Resource) -> None:
        """Record that a replaced resource's old object is still to be deleted."""
        with self.lock:
            condemned = old.copy(delete=True)
            self.pending_deletes.append(condemned)
            self._write_end("condemn", condemned)

    def record_deletion(self, step: Deletion, until_replaced: bool) -> None:
        """Record that a resource's object is gone. `until_replaced`: its record waits for the replacement."""
        old = step.old
        with self.lock:
            if old.delete:
                self.pending_deletes = [
                    item for item in self.pending_deletes if (item.urn, item.id) != (old.urn, old.id)
                ]
            elif until_replaced:
                waiting = old.copy(pending_replacement=True)
                self.olds[old.urn] = waiting
                self._write_end(step.op, waiting.known_as(self.current_urn(old.urn)))
                return
            else:
                self.removals.add(old.urn)
            if self._journal is not None:
                resource = self._journal_form(step).to_json(self._sealer)
                self._write({"kind": "gone", "op": step.op, "resource": resource})

    def record_failure(self, step: Step, error: Exception) -> None:
        """Record that an operation failed without effect; one that may have had some is looked up by the next run."""
        if self._journal is None:
            return
        resource = self._journal_form(step)
        record = {"op": step.op, "time": step.start, "resource": resource.to_json(self._sealer)}
        earlier = self.forgotten.get(resource.urn)
        if isinstance(error, DaemonError) and error.status == CONFLICT and earlier is not None:
            # A request of an earlier run was carried out after all, when nobody looked for it any more.
            self.unsettled.append(earlier)
        elif isinstance(error, (ConnectionLost, Unfinished)) or not isinstance(error, EngineError):
            self.unsettled.append({"kind": "begin", **record})
        else:
            self._write({"kind": "failed", **record})

    def _journal_form(self, step: Step) -> Resource:
        """The resource that a step is about, as the journal shall know it."""
        if step.new is not None:
            return step.new
        if step.old is None:
            raise ValueError(f"step {step.op} of {step.urn} is about no resource")
        return step.old if step.old.delete else step.old.known_as(self.current_urn(step.old.urn))

    def _write_end(self, op: str, resource: Resource) -> None:
        if self._journal is not None:
            self._write({"kind": "done", "op": op, "resource": resource.to_json(self._sealer)})

    def _write(self, record: dict) -> None:
        if self._journal is not None:
            self._journal.write(record)

"""One run over one stack: what was recorded, what the program wants, what has been achieved so far."""

from __future__ import annotations

import contextlib
import fnmatch
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import urn as urns
from .docker.daemon import Daemon, DaemonError
from .errors import ConnectionLost, EngineError, Unfinished
from .events import Events
from .journal import Journal, ordered
from .planner import Planner, Step
from .state import Resource, Snapshot, now
from .values import reveal

CONFLICT = 409  # HTTP status: the name is taken


class Targets:
    """The ``--target`` patterns. ``*`` matches within a URN component's text, as in the CLI."""

    def __init__(self, patterns: list[str]):
        self.patterns = patterns

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def missing(self, known: set[str]) -> list[str]:
        """Targets without a wildcard that name no known resource."""
        return [pattern for pattern in self.patterns if "*" not in pattern and pattern not in known]

    def covers(self, urn: str) -> bool:
        """Whether one of the patterns names the resource."""
        return any(urn == pattern or fnmatch.fnmatchcase(urn, pattern) for pattern in self.patterns)


@dataclass
class Options:
    """How to run. ``parallel``: operations at a time."""

    preview: bool = False
    parallel: int = 16
    targets: list[str] = field(default_factory=list)
    organization: str = "organization"


class Deployment:
    """Shared state of a run. Every method that plans or records holds ``lock``."""

    def __init__(
        self, project: str, stack: str, snapshot: Snapshot, options: Options, events: Events,
        journal: Journal | None, sealer: Callable[[str], str], config: dict[str, str],
    ):
        self.project, self.stack = project, stack
        self.options = options
        self.events = events
        self.config = config
        self.lock = threading.RLock()
        self.targets = Targets(options.targets)
        self.snapshot = snapshot
        self.olds = {item.urn: item for item in snapshot.resources if not item.delete}
        self.pending_deletes = [item for item in snapshot.resources if item.delete]
        self.news: dict[str, Resource] = {}
        self.gone: set[str] = set()  # old URNs whose object is deleted
        self.aliases: dict[str, str] = {}  # old URN -> new URN
        self.seen_old: set[str] = set()
        self.skipped: set[str] = set()
        self.unsettled: list[dict] = []  # journal records of operations whose outcome is not known
        self.forgotten: dict[str, dict] = {}  # URN -> journal record of an earlier creation that left no object
        self.failed = threading.Event()
        self._busy = 0
        self._idle = threading.Condition()
        self.secret_keys: list[str] = []
        self.asked_for_preview = False  # the program behaves differently in a preview
        self.planner = Planner(self)
        self._journal = journal
        self._sealer = sealer
        self._order: list[str] = []
        self._dependents: dict[str, list[Resource]] | None = None
        self._daemons: dict[str, Daemon] = {}
        self._defaults: dict[tuple[str, str], str] = {}

    # -- requests under way

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Count a request as under way, so that nothing is saved before it has recorded its result."""
        with self._idle:
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def drain(self) -> None:
        """Wait until no request is under way. Every operation has a time limit of its own."""
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0)

    # -- recorded resources

    def alias(self, old: str, new: str) -> None:
        """Note that a resource has a new URN."""
        self.aliases[old] = new
        self._write({"kind": "alias", "old": old, "new": new})

    def dependents_of(self, urn: str) -> list[Resource]:
        """Recorded resources that need ``urn`` directly or not, each after those it needs."""
        if self._dependents is None:
            self._dependents = {}
            for item in self.olds.values():
                for link in item.links():
                    self._dependents.setdefault(link, []).append(item)
        reached, queue = {}, [urn]
        while queue:
            for item in self._dependents.get(queue.pop(), ()):
                if item.urn not in reached and item.urn != urn:
                    reached[item.urn] = item
                    queue.append(item.urn)
        return [item for item in self.olds.values() if item.urn in reached]

    def leftovers(self) -> list[Resource]:
        """Recorded resources that the program has not registered."""
        return [
            item.renamed(self.aliases)
            for urn, item in self.olds.items()
            if urn not in self.news and urn not in self.seen_old and urn not in self.gone and urn not in self.skipped
        ]

    def result(self) -> Snapshot:
        """The stack's resources as of now."""
        with self.lock:
            # An aliased resource whose step failed is not among the news: it stays, under its new URN.
            names = {urn: self._now(urn) for urn in self.olds}
            kept = [
                item.renamed(self.aliases).known_as(names[urn])
                for urn, item in self.olds.items()
                if names[urn] not in self.news and urn not in self.gone
            ]
            resources = [self.news[urn] for urn in self._order if urn in self.news] + kept + self.pending_deletes
            return Snapshot(ordered(resources), [], self.snapshot.salt, self.snapshot.metadata)

    def _now(self, urn: str) -> str:
        """URN under which a recorded resource is known now."""
        return self.aliases.get(urn, urn) if urn in self.seen_old else urn

    # -- recording

    def _touched(self, step: Step) -> Resource | None:
        """The resource that a step is about, as the journal shall know it."""
        if step.new is not None or step.old is None or step.old.delete:
            return step.new or step.old
        return step.old.known_as(self._now(step.old.urn))

    def _write(self, record: dict) -> None:
        if self._journal is not None:
            self._journal.write(record)

    def begin(self, step: Step) -> None:
        """Note that an operation is about to touch the daemon."""
        resource = self._touched(step)
        step.begun = time.time()
        if self._journal is not None and resource is not None:
            self._write(
                {"kind": "begin", "op": step.op, "time": step.begun, "resource": resource.to_json(self._sealer)}
            )

    def done(self, step: Step, resource: Resource) -> None:
        """Record a resource's new state."""
        with self.lock:
            if resource.urn not in self.news:
                self._order.append(resource.urn)
            self.news[resource.urn] = resource
            if step.op not in ("same", "skip") and self._journal is not None:
                self._write({"kind": "done", "op": step.op, "resource": resource.to_json(self._sealer)})

    def keep_for_deletion(self, old: Resource) -> None:
        """Record that a replaced resource's old object is still to be deleted."""
        with self.lock:
            condemned = old.copy(delete=True)
            self.pending_deletes.append(condemned)
            if self._journal is not None:
                self._write({"kind": "done", "op": "condemn", "resource": condemned.to_json(self._sealer)})

    def removed(self, step: Step, until_replaced: bool) -> None:
        """Record that a resource's object is gone. ``until_replaced``: its record waits for the replacement."""
        old = step.old
        with self.lock:
            if old.delete:
                self.pending_deletes = [
                    item for item in self.pending_deletes if (item.urn, item.id) != (old.urn, old.id)
                ]
            elif until_replaced:
                waiting = old.copy(pending_replacement=True)
                self.olds[old.urn] = waiting
                if self._journal is not None:
                    waiting = waiting.known_as(self._now(old.urn))
                    self._write({"kind": "done", "op": step.op, "resource": waiting.to_json(self._sealer)})
                return
            else:
                self.gone.add(old.urn)
            if self._journal is not None:
                self._write({"kind": "gone", "op": step.op, "resource": self._touched(step).to_json(self._sealer)})

    def undone(self, step: Step, error: Exception) -> None:
        """Record that an operation failed without effect; one that may have had some is looked up by the next run."""
        resource = self._touched(step)
        if self._journal is None or resource is None:
            return
        record = {"op": step.op, "time": step.begun, "resource": resource.to_json(self._sealer)}
        earlier = self.forgotten.get(resource.urn)
        if isinstance(error, DaemonError) and error.status == CONFLICT and earlier is not None:
            # A request of an earlier run was carried out after all, when nobody looked for it any more.
            self.unsettled.append(earlier)
        elif isinstance(error, (ConnectionLost, Unfinished)) or not isinstance(error, EngineError):
            self.unsettled.append({"kind": "begin", **record})
        else:
            self._write({"kind": "failed", **record})

    def register_outputs(self, urn: str, outputs: dict) -> None:
        """Outputs of a component (or of the stack itself)."""
        from .values import reseal

        with self.lock:
            resource = self.news.get(urn)
            if resource is None:
                raise EngineError(f"outputs were registered for {urn}, which is not a resource of this run")
            old = self.olds.get(urn)
            resource = resource.copy(outputs=reseal(outputs, old.outputs) if old else outputs)
            self.news[urn] = resource
            if self._journal is not None and (old is None or old.outputs != resource.outputs):
                self._write({"kind": "done", "op": "outputs", "resource": resource.to_json(self._sealer)})

    # -- providers

    def default_provider(self, package: str, version: str) -> str:
        """Reference of the package's default provider, made on first use."""
        key = (package, version)
        if key not in self._defaults:
            self._defaults[key] = self._make_default(package, version)
        return self._defaults[key]

    def _make_default(self, package: str, version: str) -> str:
        from .executor import Executor
        from .goal import Goal

        name = "default" if not version or package == "pulumi" else f"default_{version.replace('.', '_')}"
        prefix = f"{package}:"
        inputs = {key.removeprefix(prefix): value for key, value in self.config.items() if key.startswith(prefix)}
        if version and package != "pulumi":
            inputs = {"__internal": {}, **inputs, "version": version}
        goal = Goal(type=urns.PROVIDER_PREFIX + package, name=name, custom=True, inputs=inputs)
        with self.lock:
            steps = self.planner.plan(goal)
        Executor(self).run_chain(steps)
        made = self.news[goal.urn]
        return f"{made.urn}::{made.id}"

    def daemon_of(self, reference: str) -> Daemon:
        """Connection of the provider that a resource names."""
        urn = urns.provider_urn(reference)
        urn = self.aliases.get(urn, urn)
        with self.lock:
            if urn not in self._daemons:
                provider = self.news.get(urn) or self.olds.get(urn)
                self._daemons[urn] = Daemon(reveal(provider.inputs) if provider else {})
            return self._daemons[urn]


def stamped(new: Resource, old: Resource | None, changed: bool) -> Resource:
    """``new`` with its times of creation and last change."""
    stamp = now()
    created = old.created if old is not None and old.created else stamp
    modified = stamp if changed or old is None else old.modified
    return new.copy(created=created, modified=modified)

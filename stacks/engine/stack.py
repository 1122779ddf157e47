"""A stack with its files open: its state, its secrets, its lock, and the deployments that change it."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from stacks.engine import urn as urns
from stacks.engine.backend import Backend
from stacks.engine.connections import Connections
from stacks.engine.deployment import Deployment, Options
from stacks.engine.docker.daemon import load_client
from stacks.engine.errors import DeploymentFailed, EngineError, SecretsError, UnexpectedChanges
from stacks.engine.events import Events
from stacks.engine.executor import Executor
from stacks.engine.journal import Journal, replay
from stacks.engine.late import Late
from stacks.engine.planner import Planner
from stacks.engine.program import PREVIEW_DEPENDENT, REPORTED, Program
from stacks.engine.project import ORGANIZATION, Project, StackConfig
from stacks.engine.recovery import Recovery, recover
from stacks.engine.references import References
from stacks.engine.secrets import Crypter
from stacks.engine.state import Resource, Snapshot

# gRPC: loaded while the program's own interpreter starts.
monitor: Any = Late("stacks.engine.monitor")
CHANGING = {"create", "update", "delete", "replace", "import"}


class Stack:
    """State loaded, secrets ready; a deployment reads them and leaves new ones."""

    def __init__(self, project: Project, backend: Backend, stack: str):
        self.project, self.backend, self.name = project, backend, stack
        self.config = StackConfig(project, stack)
        self._deployment = backend.load(project.name, stack).get("latest")
        self._recovery = Recovery(Snapshot())  # what became of an interrupted run before
        self._crypter: Crypter | None = self.config.crypter(self._recorded_salt())
        if self._crypter is not None and (_holds_secret(self._deployment) or _holds_secret(self.config.values)):
            self._crypter.prepare()

    def _recorded_salt(self) -> str:
        provider = (self._deployment or {}).get("secrets_providers") or {}
        return (provider.get("state") or {}).get("salt", "")

    # -- secrets

    def crypter(self) -> Crypter:
        """The stack's crypter, made when the stack has none."""
        if self._crypter is None:
            self._crypter = self.config.ensure_crypter()
        return self._crypter

    def open_secret(self, sealed: str) -> str:
        """Plain text of a ciphertext of this stack."""
        if self._crypter is None:
            raise SecretsError(f"stack {self.name} has secrets but no encryptionsalt in {self.config.path.name}")
        return self._crypter.open(sealed)

    def seal_secret(self, text: str) -> str:
        """Ciphertext of a plain text."""
        return self.crypter().seal(text)

    # -- state

    def snapshot(self) -> Snapshot:
        """The checkpoint, with what a journal of an interrupted run adds."""
        snapshot = Snapshot.from_deployment(self._deployment, self.open_secret)
        records = self.journal().read()
        return replay(snapshot, records, self.open_secret).snapshot if records else snapshot

    def journal(self) -> Journal:
        """The stack's journal."""
        return self.backend.journal(self.project.name, self.name)

    def save(self, snapshot: Snapshot, unsettled: list[dict] | None = None) -> None:
        """Write a checkpoint and drop the journal that led to it, but for operations whose outcome is not known."""
        if self._crypter is not None:
            self._crypter.key()  # a wrong passphrase must not write anything
            snapshot.salt = self._crypter.state
        deployment = snapshot.deployment(self.seal_secret)
        if self._crypter is not None and not snapshot.salt:
            snapshot.salt = self._crypter.state
            deployment = snapshot.deployment(self.seal_secret)
        self.backend.save(self.project.name, self.name, deployment)
        self.journal().replace(unsettled or [])
        self._deployment = deployment

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock; an interrupted run's journal is settled first."""
        with self.backend.lock(self.project.name, self.name):
            self._deployment = self.backend.load(self.project.name, self.name).get("latest")
            records = self.journal().read()
            if records:
                snapshot = Snapshot.from_deployment(self._deployment, self.open_secret)
                self._recovery = recover(replay(snapshot, records, self.open_secret), _warn)
                self.save(self._recovery.snapshot, self._recovery.open_records)
            yield

    # -- deployments

    def _begin(self, options: Options, events: Events, journaled: bool) -> Work:
        config, secret_keys = self.config.resolved(self._crypter)
        journal = self.journal() if journaled else None
        deployment = Deployment(
            self.project.name, self.name, self.snapshot(), options, events, journal, self.seal_secret, config
        )
        deployment.secret_keys = secret_keys
        deployment.unsettled, deployment.forgotten = list(self._recovery.open_records), self._recovery.forgotten
        if journal is not None:
            # A wrong passphrase must not write anything.
            journal.open(self._crypter.key if self._crypter is not None else lambda: None)
        return Work(deployment, journal)

    def _expect_changes(self) -> None:
        """Derive the key and load the Docker client while the program loads, rather than when the first step waits.

        A run without changes needs neither, and would only share its two cores with them.
        """
        if self._crypter is not None:
            self._crypter.prepare()
        threading.Thread(target=load_client, name="client", daemon=True).start()

    def deploy(self, options: Options, events: Events, program: Program, refresh: bool = False) -> Deployment:
        """Run the program. DeploymentFailed after every failure has been told; the state is saved in any case."""
        started = time.monotonic()
        work = self._begin(options, events, journaled=not options.preview)
        deployment = work.deployment
        if not options.preview and not deployment.olds:
            self._expect_changes()
        try:
            if refresh:
                work.executor.refresh()
            self._execute(work, program)
            if not deployment.faulty:  # what has failed to be registered is no leftover, nor is what depends on it
                self._delete_leftovers(work)
        except EngineError as error:
            deployment.fail()
            if not events.errors:
                events.diagnostic("error", str(error))
        except BaseException:
            deployment.fail()
            raise
        finally:
            program.stop()
            self._finish(work, started)
        if deployment.faulty:
            raise DeploymentFailed("preview failed" if options.preview else "update failed")
        if options.preview and not is_no_op(deployment):
            self._expect_changes()
        return deployment

    def _execute(self, work: Work, program: Program) -> None:
        deployment = work.deployment
        references = References(self.backend, self.project.name)
        servicer = monitor.Monitor(deployment, work.planner, work.executor, work.connections, references)
        settings = {
            "project": self.project.name,
            "stack": self.name,
            "organization": ORGANIZATION,
            "parallel": deployment.options.parallel,
            "preview": deployment.options.preview,
            "root": str(self.project.folder),
            "program": str(self.project.program),
            "config": deployment.config,
            "secret_keys": deployment.secret_keys,
        }
        lines: list[str] = []

        def output(stream: str, line: str) -> None:
            if stream == "stdout":
                deployment.events.diagnostic("info#out", line)
            else:
                lines.append(line)

        with monitor.Server(servicer, monitor.EngineService(deployment)) as server:
            program.begin({**settings, "address": server.address}, output)
            status = program.wait()
        deployment.preview_dependent = status == PREVIEW_DEPENDENT
        status = 0 if status == PREVIEW_DEPENDENT else status
        text = "\n".join(lines).strip()
        if status != 0 or (not servicer.finished.is_set() and not deployment.faulty):
            if text and status != REPORTED:
                deployment.events.diagnostic("error", text)
            elif not deployment.events.errors:
                message = f"the program ended with exit status {status} before it was complete"
                deployment.events.diagnostic("error", message)
            deployment.fail()
        elif text:
            deployment.events.diagnostic("info#err", text)

    def _delete_leftovers(self, work: Work) -> None:
        deployment = work.deployment
        urns = {*deployment.olds, *deployment.news, *deployment.skipped}
        missing = deployment.selection.targets.missing(urns) or deployment.replaces.missing(urns)
        if missing:
            raise EngineError(
                f"Target '{missing[0]}' could not be found in the stack; 'stack export' lists the URNs. Did you forget "
                "to quote the $ in your shell?"
            )
        with deployment.lock:
            steps = work.planner.deletions()
        if deployment.selection:
            steps = [step for step in steps if deployment.selection.covers(step.urn)]
        work.executor.run_deletions(steps)

    def _finish(self, work: Work, started: float) -> None:
        """Keep old stack outputs of a failed run, save, and tell the summary."""
        deployment = work.deployment
        deployment.drain()
        if deployment.faulty:
            name = f"{self.project.name}-{self.name}"
            deployment.restore_outputs(urns.make(self.name, self.project.name, "", urns.STACK_TYPE, name))
        preview = deployment.options.preview
        if preview:
            pass
        elif work.journal is not None and not work.journal.has_records and not deployment.unsettled:
            self.adopt(deployment)
        else:
            self.save(deployment.result(), deployment.unsettled)
        deployment.events.summary(time.monotonic() - started, preview)

    def adopt(self, deployment: Deployment) -> None:
        """Save what a run without any step has read: options, dependencies and outputs may still differ."""
        resources = deployment.resources()
        before = {item.urn: item for item in deployment.snapshot.resources}
        same = len(before) == len(resources) and all(
            item.urn in before and _is_same(item, before[item.urn]) for item in resources
        )
        if not same or deployment.snapshot.pending:
            self.save(deployment.result())

    def refresh(self, options: Options, events: Events) -> Deployment:
        """Read every recorded object back and record what the daemon has."""
        started = time.monotonic()
        work = self._begin(options, events, journaled=False)
        deployment = work.deployment
        try:
            work.executor.refresh()
        except EngineError as error:
            deployment.fail()
            if not events.errors:
                events.diagnostic("error", str(error))
        for urn, before in {item.urn: item for item in deployment.snapshot.resources if not item.delete}.items():
            if not urns.is_default_provider(urn):
                fresh = deployment.olds.get(urn)
                events.changes["delete" if fresh is None else "same" if fresh == before else "update"] += 1
        self._finish(work, started)
        if deployment.faulty:
            raise DeploymentFailed("refresh failed")
        return deployment

    def destroy(self, options: Options, events: Events, refresh: bool = False) -> Deployment:
        """Delete every recorded object (or the targets and what needs them)."""
        started = time.monotonic()
        work = self._begin(options, events, journaled=not options.preview)
        deployment = work.deployment
        try:
            if refresh:
                work.executor.refresh()
            steps = work.planner.deletions()
            if steps and not options.preview:
                self._expect_changes()
            if deployment.selection.targets:
                urns = _with_dependents(deployment)
                steps = [step for step in steps if step.urn in urns]
            elif deployment.selection:
                spared = _with_needs(deployment)
                steps = [step for step in steps if step.urn not in spared]
            work.executor.run_deletions(steps)
        except EngineError as error:
            deployment.fail()
            if not events.errors:
                events.diagnostic("error", str(error))
        finally:
            self._finish(work, started)
        if deployment.faulty:
            raise DeploymentFailed("destroy failed")
        return deployment


class Work:
    """A deployment's record with those who plan and carry out its steps."""

    def __init__(self, deployment: Deployment, journal: Journal | None):
        self.deployment = deployment
        self.journal = journal
        self.connections = Connections(deployment)
        self.planner = Planner(deployment)
        self.executor = Executor(deployment, self.connections)


def _with_dependents(deployment: Deployment) -> set[str]:
    """URNs of the targets of a `destroy`; EngineError when something else needs them."""
    selection = deployment.selection
    urns = {urn for urn in deployment.olds if selection.covers(urn)}
    if not urns:
        raise EngineError(f"no resource matches --target {', '.join(selection.targets.patterns)}")
    needing = {item.urn for urn in urns for item in deployment.dependents_of(urn)}
    if needing - urns and not selection.dependents:
        raise EngineError(
            "cannot destroy the targets alone, these depend on them: "
            + ", ".join(sorted(needing - urns))
            + ". Name them as targets too, or use --target-dependents."
        )
    return urns | needing


def _with_needs(deployment: Deployment) -> set[str]:
    """URNs that a `destroy` leaves: those excluded, and all that they need."""
    spared: set[str] = set()
    queue = [urn for urn in deployment.olds if not deployment.selection.covers(urn)]
    while queue:
        urn = queue.pop()
        if urn not in spared and urn in deployment.olds:
            spared.add(urn)
            queue += deployment.olds[urn].links()
    return spared


def _holds_secret(value: Any) -> bool:
    """Whether a ciphertext lies anywhere in a checkpoint or a configuration."""
    if isinstance(value, dict):
        return "ciphertext" in value or "secure" in value or any(_holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in value)


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


def _is_same(one: Resource, other: Resource) -> bool:
    """Whether two records say the same, whatever the order of what they depend on."""
    return one == other or _unordered(one) == _unordered(other)


def _unordered(item: Resource) -> Resource:
    """A record without the accidents of order."""
    return item.copy(
        dependencies=sorted(item.dependencies),
        property_dependencies={key: sorted(urns) for key, urns in item.property_dependencies.items()},
    )


def is_no_op(deployment: Deployment) -> bool:
    """Whether a preview that went well saw nothing to do and nothing that an update would see otherwise."""
    ops = {op for op, count in deployment.events.changes.items() if count}
    # Of the snapshot: in the preview's own record they count as deleted, though nobody has deleted them.
    condemned = any(item.delete for item in deployment.snapshot.resources)
    if deployment.preview_dependent or condemned or deployment.snapshot.pending:
        return False
    return ops <= {"same"}


def refuse_changes(events: Events, preview: bool) -> None:
    """UnexpectedChanges when the run changed (or would change) anything."""
    changes = {op: count for op, count in events.changes.items() if op in CHANGING}
    if changes:
        counts = ", ".join(f"{count} to {op}" for op, count in sorted(changes.items()))
        verb = "proposed" if preview else "made"
        raise UnexpectedChanges(f"no changes were expected but changes were {verb}: {counts}")


def early_program(project: Project) -> Program:
    """The program's interpreter, which may have been loading since the command began."""
    entry = project.program / "__main__.py" if project.program.is_dir() else project.program
    if not entry.is_file():
        file = f"{project.folder}/Pulumi.yaml"
        raise EngineError(f"no program: {entry} does not exist; write it, or mend 'main' in {file}")
    return Program()

"""Verbs that deploy: preview, up, refresh, destroy."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from . import urn as urns
from .backend import Backend
from .child import ASKED
from .deployment import Deployment, Options
from .errors import DeploymentFailed, EngineError, SecretsError, UnexpectedChanges
from .events import Events
from .executor import Executor
from .journal import Journal, replay
from .program import Program
from .project import ORGANIZATION, Project, StackConfig
from .recovery import Settled, settle
from .references import References
from .secrets import Crypter
from .state import Resource, Snapshot

CHANGING = {"create", "update", "delete", "replace", "import"}


class StackRun:
    """A stack with its files open: state loaded, secrets ready."""

    def __init__(self, project: Project, backend: Backend, stack: str):
        self.project, self.backend, self.stack = project, backend, stack
        self.config = StackConfig(project, stack)
        self._deployment = backend.load(project.name, stack).get("latest")
        self._settled = Settled(Snapshot())  # what became of an interrupted run before
        self._crypter: Crypter | None = self.config.crypter(self._recorded_salt())

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
            raise SecretsError(f"stack {self.stack} has secrets but no encryptionsalt in {self.config.path.name}")
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
        return self.backend.journal(self.project.name, self.stack)

    def save(self, snapshot: Snapshot, unsettled: list[dict] | None = None) -> None:
        """Write a checkpoint and drop the journal that led to it, but for operations whose outcome is not known."""
        if self._crypter is not None:
            self._crypter.key()  # a wrong passphrase must not write anything
            snapshot.salt = self._crypter.state
        deployment = snapshot.deployment(self.seal_secret)
        if self._crypter is not None and not snapshot.salt:
            snapshot.salt = self._crypter.state
            deployment = snapshot.deployment(self.seal_secret)
        self.backend.save(self.project.name, self.stack, deployment)
        self.journal().replace(unsettled or [])
        self._deployment = deployment

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock; an interrupted run's journal is settled first."""
        with self.backend.lock(self.project.name, self.stack):
            self._deployment = self.backend.load(self.project.name, self.stack).get("latest")
            records = self.journal().read()
            if records:
                snapshot = Snapshot.from_deployment(self._deployment, self.open_secret)
                self._settled = settle(replay(snapshot, records, self.open_secret), _warn)
                self.save(self._settled.snapshot, self._settled.left)
            yield

    # -- deployments

    def _begin(self, options: Options, events: Events, snapshot: Snapshot, journaled: bool) -> Deployment:
        config, secret_keys = self.config.resolved(self._crypter)
        journal = self.journal() if journaled else None
        run = Deployment(
            self.project.name, self.stack, snapshot, options, events, journal, self.seal_secret, config
        )
        run.secret_keys = secret_keys
        run.unsettled, run.forgotten = list(self._settled.left), self._settled.forgotten
        if journal is not None:
            if self._crypter is not None:
                self._crypter.key()
            journal.open()
        return run

    def deploy(self, options: Options, events: Events, program: Program, refresh: bool = False) -> Deployment:
        """Run the program. DeploymentFailed after every failure has been told; the state is saved in any case."""
        started = time.monotonic()
        run = self._begin(options, events, self.snapshot(), journaled=not options.preview)
        try:
            if refresh:
                Executor(run).refresh()
            self._execute(run, program)
            if not run.failed.is_set():
                self._delete_leftovers(run)
        except EngineError as error:
            run.failed.set()
            if not events.errors:
                events.diagnostic("error", str(error))
        except BaseException:
            run.failed.set()
            raise
        finally:
            program.stop()
            self._finish(run, started)
        if run.failed.is_set():
            raise DeploymentFailed("preview failed" if options.preview else "update failed")
        return run

    def _execute(self, run: Deployment, program: Program) -> None:
        from .monitor import EngineService, Monitor, Server

        monitor = Monitor(run, References(self.backend, self.project.name))
        settings = {
            "project": self.project.name, "stack": self.stack, "organization": ORGANIZATION,
            "parallel": run.options.parallel, "preview": run.options.preview, "root": str(self.project.folder),
            "program": str(self.project.program), "config": run.config, "secret_keys": run.secret_keys,
        }
        lines: list[str] = []

        def output(stream: str, line: str) -> None:
            if stream == "stdout":
                run.events.diagnostic("info#out", line)
            else:
                lines.append(line)

        with Server(monitor, EngineService(run)) as server:
            program.run({**settings, "address": server.address}, output)
            status = program.wait()
        run.asked_for_preview = status == ASKED
        status = 0 if status == ASKED else status
        text = "\n".join(lines).strip()
        if status != 0 or (not monitor.finished.is_set() and not run.failed.is_set()):
            if text and status != 32:
                run.events.diagnostic("error", text)
            elif not run.events.errors:
                run.events.diagnostic("error", f"the program ended with exit status {status} before it was complete")
            run.failed.set()
        elif text:
            run.events.diagnostic("info#err", text)

    def _delete_leftovers(self, run: Deployment) -> None:
        missing = run.targets.missing({*run.olds, *run.news, *run.skipped})
        if missing:
            raise EngineError(
                f"Target '{missing[0]}' could not be found in the stack; 'stack export' lists the URNs. Did you forget "
                "to quote the $ in your shell?"
            )
        with run.lock:
            steps = run.planner.deletions()
        if run.targets:
            steps = [step for step in steps if run.targets.covers(step.urn)]
        Executor(run).run_deletions(steps)

    def _finish(self, run: Deployment, started: float) -> None:
        """Keep old stack outputs of a failed run, save, and tell the summary."""
        run.drain()
        root = urns.make(self.stack, self.project.name, "", urns.STACK_TYPE, f"{self.project.name}-{self.stack}")
        if run.failed.is_set() and root in run.news:
            old = run.olds.get(root)
            new = run.news[root]
            run.news[root] = new.copy(outputs={**(old.outputs if old else {}), **new.outputs})
        if not run.options.preview:
            self.save(run.result(), run.unsettled)
        run.events.summary(time.monotonic() - started, run.options.preview)

    def adopt(self, run: Deployment) -> None:
        """Save what a preview without any change has found: options, dependencies and outputs may still differ."""
        result = run.result()
        before = {item.urn: _unordered(item) for item in run.snapshot.resources}
        if {item.urn: _unordered(item) for item in result.resources} != before:
            self.save(result)

    def refresh(self, options: Options, events: Events) -> Deployment:
        """Read every recorded object back and record what the daemon has."""
        started = time.monotonic()
        run = self._begin(options, events, self.snapshot(), journaled=False)
        try:
            Executor(run).refresh()
        except EngineError as error:
            run.failed.set()
            if not events.errors:
                events.diagnostic("error", str(error))
        self._finish(run, started)
        if run.failed.is_set():
            raise DeploymentFailed("refresh failed")
        return run

    def destroy(self, options: Options, events: Events, refresh: bool = False) -> Deployment:
        """Delete every recorded object (or the targets and what needs them)."""
        started = time.monotonic()
        run = self._begin(options, events, self.snapshot(), journaled=not options.preview)
        try:
            if refresh:
                Executor(run).refresh()
            steps = run.planner.deletions()
            if run.targets:
                chosen = self._with_dependents(run)
                steps = [step for step in steps if step.urn in chosen]
            Executor(run).run_deletions(steps)
        except EngineError as error:
            run.failed.set()
            if not events.errors:
                events.diagnostic("error", str(error))
        finally:
            self._finish(run, started)
        if run.failed.is_set():
            raise DeploymentFailed("destroy failed")
        return run

    def _with_dependents(self, run: Deployment) -> set[str]:
        chosen = {urn for urn in run.olds if run.targets.covers(urn)}
        if not chosen:
            raise EngineError(f"no resource matches --target {', '.join(run.targets.patterns)}")
        needing = {item.urn for urn in chosen for item in run.dependents_of(urn)}
        if needing - chosen:
            raise EngineError(
                "cannot destroy the targets alone, these depend on them: " + ", ".join(sorted(needing - chosen))
                + ". Name them as targets too."
            )
        return chosen


def _warn(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


def _unordered(item: Resource) -> Resource:
    """A record without the accidents of order."""
    return item.copy(
        dependencies=sorted(item.dependencies),
        property_dependencies={key: sorted(urns) for key, urns in item.property_dependencies.items()},
    )


def unchanged(run: Deployment) -> bool:
    """Whether a preview that went well saw nothing to do and nothing that an update would see otherwise."""
    ops = {op for op, count in run.events.changes.items() if count}
    return ops <= {"same"} and not run.asked_for_preview and not run.pending_deletes and not run.snapshot.pending


def expect_no_changes(events: Events, preview: bool) -> None:
    """UnexpectedChanges when the run changed (or would change) anything."""
    changed = {op: count for op, count in events.changes.items() if op in CHANGING}
    if changed:
        told = ", ".join(f"{count} to {op}" for op, count in sorted(changed.items()))
        verb = "proposed" if preview else "made"
        raise UnexpectedChanges(f"no changes were expected but changes were {verb}: {told}")


def early_program(project: Project) -> Program:
    """Start the program's interpreter before anything else is loaded."""
    entry = project.program / "__main__.py" if project.program.is_dir() else project.program
    if not entry.is_file():
        where = f"{project.folder}/Pulumi.yaml"
        raise EngineError(f"no program: {entry} does not exist; write it, or mend 'main' in {where}")
    return Program(project.folder)



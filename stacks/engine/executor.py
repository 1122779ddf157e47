"""Applies steps: asks the Docker daemon, records the result, tells the events."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from stacks.engine import urn as urns
from stacks.engine.connections import Connections
from stacks.engine.deployment import Deployment
from stacks.engine.diff import overlay
from stacks.engine.docker.base import kind_of
from stacks.engine.errors import EngineError, PartialError, ProviderError, StepFailed
from stacks.engine.outputs import preview_outputs, recorded_outputs, secret_outputs
from stacks.engine.state import Resource, now
from stacks.engine.steps import Change, Creation, Deletion, Refreshing, Step
from stacks.engine.values import annotate_secrets, reseal, reveal

AnyStep = TypeVar("AnyStep", bound=Step)


class Executor:
    """Runs chains of steps in the caller's thread and sets of deletions in parallel."""

    def __init__(self, deployment: Deployment, connections: Connections):
        self._deployment = deployment
        self._connections = connections
        self._preview = deployment.options.preview

    # -- chains

    def run_chain(self, steps: Sequence[Step], slots: threading.Semaphore | None = None) -> Resource:
        """Apply steps one after another; returns the resource's final state. EngineError after telling why."""
        result: Resource | None = None
        for step in steps:
            with slots or contextlib.nullcontext():
                result = self.apply(step) or result
        if result is None:
            raise ValueError(f"the steps {[step.op for step in steps]} leave no resource")
        return result

    def apply(self, step: Step) -> Resource | None:
        """Apply one step. On failure the run counts as failed and EngineError is raised."""
        deployment = self._deployment
        if step.op == "skip":
            return step.new
        deployment.events.starting(step)
        try:
            result = self._act(step)
        except Exception as error:
            deployment.fail()
            if not self._preview:
                deployment.events.failed(step)
            deployment.events.diagnostic("error", _failure_text(step, error), step.urn)
            if isinstance(error, PartialError) and error.detail:
                deployment.events.diagnostic("info", error.detail.strip(), step.urn)
            raise StepFailed(str(error) or type(error).__name__) from error
        deployment.events.finished(step)
        return result

    def _act(self, step: Step) -> Resource | None:
        if isinstance(step, Deletion):
            self._delete(step)
            return None
        if isinstance(step, Creation):
            return self._promise_creation(step) if self._preview else self._create(step)
        if isinstance(step, Change) and step.op == "replace":
            return None
        if isinstance(step, Change) and step.op == "same":
            return self._same(step)
        if isinstance(step, Change):
            return self._promise_update(step) if self._preview else self._update(step)
        raise ValueError(f"{type(step).__name__} {step.op!r} cannot be applied")

    # -- operations

    def _same(self, step: Change) -> Resource:
        old, new = step.old, step.new
        if new is not old:
            new = _with_times(new, old, changed=False)
            new = new.copy(
                id=old.id,
                outputs=recorded_outputs(old, new),
                init_errors=old.init_errors,
                external=old.external,
                extra=old.extra,
            )
        self._deployment.record(step, new)
        return new

    def _promise_creation(self, step: Creation) -> Resource:
        new = step.new
        if urns.is_provider(new.type):
            new = new.copy(id=str(uuid.uuid4()), outputs=preview_outputs(step.goal, new, None))
        elif new.custom:
            new = new.copy(id="", outputs=preview_outputs(step.goal, new, None))
        else:
            new = new.copy(id="", outputs={})
        self._keep_replaced(step)
        self._deployment.record(step, new)
        return new

    def _promise_update(self, step: Change) -> Resource:
        old, new = step.old, step.new
        outputs = preview_outputs(step.goal, new, old) if new.custom else old.outputs
        new = new.copy(id=old.id, outputs=outputs)
        if urns.is_provider(new.type) and not new.id:
            new = new.copy(id=str(uuid.uuid4()))
        self._deployment.record(step, new)
        return new

    def _create(self, step: Creation) -> Resource:
        deployment, new = self._deployment, step.new
        if not new.custom:
            new = _with_times(new, None, changed=True)
        elif urns.is_provider(new.type):
            new = _with_times(new.copy(id=str(uuid.uuid4()), outputs=_provider_outputs(new)), None, changed=True)
        else:
            deployment.begin(step)
            kind = kind_of(new.type)
            try:
                daemon = self._connections.daemon_of(new.provider)
                identity, outputs = kind.create(
                    daemon, reveal(new.inputs), _time_limit(step.goal.custom_timeouts, new.type, "create")
                )
            except Exception as error:
                deployment.record_failure(step, error)
                raise
            new = _with_times(new.copy(id=identity, outputs=secret_outputs(new, outputs)), None, changed=True)
        self._keep_replaced(step)
        deployment.record(step, new)
        return new

    def _keep_replaced(self, step: Creation) -> None:
        """Note the object that a replacement leaves to be deleted, unless it was deleted before."""
        old = step.old
        if step.op != "create-replacement" or old is None:
            return
        recorded = self._deployment.olds.get(old.urn)
        if not old.pending_replacement and not (recorded is not None and recorded.pending_replacement):
            self._deployment.keep_for_deletion(old)

    def _update(self, step: Change) -> Resource:
        deployment, old, new = self._deployment, step.old, step.new
        if not new.custom:
            new = _with_times(new.copy(outputs=old.outputs), old, changed=True)
        elif urns.is_provider(new.type):
            new = _with_times(new.copy(id=old.id, outputs=_provider_outputs(new)), old, changed=True)
        else:
            deployment.begin(step)
            try:
                outputs = self._updated_outputs(step)
            except PartialError as error:
                # What the daemon has now is recorded, with the inputs that it last took over without error.
                partial = _with_times(new, old, changed=True)
                reason = f"updating {new.urn}: 1 error occurred:\n\t* {error}\n\n"
                outputs = secret_outputs(new, error.outputs)
                partial = partial.copy(id=old.id, inputs=old.inputs, outputs=outputs, init_errors=[reason])
                deployment.record(step, partial)
                raise
            except Exception as error:
                deployment.record_failure(step, error)
                raise
            outputs = reseal(secret_outputs(new, outputs), old.outputs)
            identity = outputs.get("id", old.id)
            new = _with_times(new.copy(id=identity, outputs=outputs, extra=old.extra), old, changed=True)
        deployment.record(step, new)
        return new

    def _updated_outputs(self, step: Change) -> dict:
        old, new = step.old, step.new
        daemon = self._connections.daemon_of(new.provider)
        timeout = _time_limit(step.goal.custom_timeouts, new.type, "update")
        return kind_of(new.type).update(daemon, old.id, reveal(new.inputs), reveal(old.outputs), timeout)

    def _delete(self, step: Deletion) -> None:
        deployment, old = self._deployment, step.old
        if step.op == "delete" and old.protect:
            raise EngineError(("Preview failed: " if self._preview else "") + _protected_text(old.urn))
        if not self._preview and not step.quiet and old.custom and not urns.is_provider(old.type):
            deployment.begin(step)
            timeout = _time_limit(old.custom_timeouts, old.type, "delete")
            try:
                daemon = self._connections.daemon_of(old.provider)
                kind_of(old.type).delete(daemon, old.id, reveal(old.outputs), timeout)
            except Exception as error:
                deployment.record_failure(step, error)
                raise
        deployment.record_deletion(step, until_replaced=step.op == "delete-replaced" and not old.delete)

    # -- parallel deletions

    def run_deletions(self, steps: Sequence[Deletion]) -> None:
        """Delete in parallel, dependents first. A failure stops what waits for it; EngineError at the end."""
        by_urn = {step.urn: step for step in steps}
        waiting: dict[int, set[int]] = {id(step): set() for step in steps}
        release: dict[int, list[Deletion]] = {id(step): [] for step in steps}
        for step in steps:
            for link in step.old.links():
                need = by_urn.get(link)
                if need is not None and need is not step:
                    waiting[id(need)].add(id(step))
                    release[id(step)].append(need)
        self._in_parallel(steps, waiting, release, self.apply)

    def _in_parallel(
        self,
        steps: Sequence[AnyStep],
        waiting: Mapping[int, set[int]],
        release: Mapping[int, list[AnyStep]],
        work: Callable[[AnyStep], object],
    ) -> None:
        """Run `work` on each step once those it waits for are done; raises the first failure at the end."""
        first: BaseException | None = None
        if not steps:
            return
        with ThreadPoolExecutor(max_workers=max(1, self._deployment.options.parallel)) as pool, _cancelling(pool):
            running: dict[Future, AnyStep] = {
                pool.submit(work, step): step for step in steps if not waiting.get(id(step))
            }
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    step = running.pop(future)
                    error = future.exception()
                    if error is not None:
                        first = first or error
                        continue
                    for following in release.get(id(step), ()):
                        waiting[id(following)].discard(id(step))
                        if not waiting[id(following)]:
                            running[pool.submit(work, following)] = following
        if first is not None:
            raise first

    # -- refresh

    def refresh(self) -> None:
        """Read every recorded resource back; what is gone leaves the record."""
        deployment = self._deployment
        resources = [item for item in deployment.olds.values() if deployment.selection.covers(item.urn)]
        steps = [Refreshing(op="refresh", urn=item.urn, type=item.type, old=item, new=item) for item in resources]
        self._in_parallel(steps, {}, {}, self._refresh)

    def _refresh(self, step: Refreshing) -> None:
        deployment, old = self._deployment, step.old
        deployment.events.starting(step)
        try:
            step.new = self._read_back(old)
        except Exception as error:
            deployment.failed.set()
            deployment.events.failed(step)
            deployment.events.diagnostic("error", f"refreshing {step.urn}: {error}", step.urn)
            raise
        deployment.observed(old, step.new)
        deployment.events.finished(step)

    def _read_back(self, old: Resource) -> Resource | None:
        """The resource as the daemon has it now, None when its object is gone."""
        if not old.custom or urns.is_provider(old.type) or old.type == urns.REFERENCE_TYPE or not old.id:
            return old
        if old.pending_replacement:
            return None
        kind = kind_of(old.type)
        answer = kind.read(self._connections.daemon_of(old.provider), old.id, reveal(old.outputs))
        if answer is None:
            return None
        identity, current = answer
        outputs = reseal(secret_outputs(old, current, old.outputs), old.outputs)
        if old.init_errors and outputs == old.outputs:
            return old
        inputs = annotate_secrets(overlay(kind.fields, reveal(old.inputs), current), old.inputs)
        return old.copy(id=identity, outputs=outputs, inputs=reseal(inputs, old.inputs), init_errors=[])


@contextlib.contextmanager
def _cancelling(pool: ThreadPoolExecutor) -> Iterator[None]:
    """Drop what has not begun when the operator interrupts."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _with_times(new: Resource, old: Resource | None, changed: bool) -> Resource:
    """`new` with its times of creation and last change."""
    stamp = now()
    created = old.created if old is not None and old.created else stamp
    modified = stamp if changed or old is None else old.modified
    return new.copy(created=created, modified=modified)


def _time_limit(limits: dict, token: str, operation: str) -> float | None:
    """The program's time limit in seconds, where the type knows one."""
    return limits.get(operation) if kind_of(token).timeouts else None


def _provider_outputs(new: Resource) -> dict:
    return {key: value for key, value in new.inputs.items() if key != "__internal"}


def _protected_text(urn: str) -> str:
    """The CLI's refusal to delete a protected resource."""
    return (
        f'resource "{urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, either remove the '
        "`protect` flag from the resource in your Pulumi program and run `pulumi up`, or use the command:\n"
        f"`pulumi state unprotect '{urn}'`"
    )


_VERBS = {"update": "updating", "delete": "deleting", "delete-replaced": "deleting"}


def _failure_text(step: Step, error: Exception) -> str:
    """A failure in the CLI's words."""
    text = str(error) or type(error).__name__
    if isinstance(step, Creation) and isinstance(error, ProviderError):
        return f"1 error occurred:\n\t* {text}"
    verb = _VERBS.get(step.op)
    if verb is None or "is protected" in text:
        return text
    if isinstance(error, PartialError):
        return f"1 error occurred:\n\t* {verb} {step.urn}: 1 error occurred:\n\t* {text}"
    return f"{verb} {step.urn}: 1 error occurred:\n\t* {text}"

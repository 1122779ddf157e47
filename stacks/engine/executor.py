"""Applies steps: asks the Docker daemon, records the result, tells the events."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from . import urn as urns
from .deployment import Deployment, stamped
from .docker.base import kind_of
from .errors import EngineError, PartialError
from .planner import Step, preview_outputs, protected_message, with_secret_keys
from .state import Resource
from .values import annotate_secrets, reseal, reveal

DELETIONS = {"delete", "delete-replaced"}


class Executor:
    """Runs chains of steps in the caller's thread and sets of deletions in parallel."""

    def __init__(self, deployment: Deployment):
        self.run = deployment
        self.preview = deployment.options.preview

    # -- chains

    def run_chain(self, steps: list[Step], slots: threading.Semaphore | None = None) -> Resource | None:
        """Apply steps one after another; returns the resource's final state. EngineError after telling why."""
        result = None
        for step in steps:
            if slots is None:
                result = self.apply(step) or result
            else:
                with slots:
                    result = self.apply(step) or result
        return result

    def apply(self, step: Step) -> Resource | None:
        """Apply one step. On failure the run counts as failed and EngineError is raised."""
        run = self.run
        if step.op == "skip":
            return step.new
        run.events.starting(step)
        try:
            result = self._act(step)
        except Exception as error:
            run.failed.set()
            if not self.preview:
                run.events.failed(step)
            run.events.diagnostic("error", _described(step, error), step.urn)
            if isinstance(error, PartialError) and error.detail:
                run.events.diagnostic("info", error.detail.strip(), step.urn)
            if isinstance(error, EngineError):
                raise
            raise EngineError(f"{type(error).__name__}: {error}") from error
        run.events.finished(step)
        return result

    def _act(self, step: Step) -> Resource | None:
        if step.op == "replace":
            return None
        if step.op in DELETIONS or step.op == "remove-pending-replace":
            return self._delete(step)
        if step.op == "same":
            return self._same(step)
        if self.preview:
            return self._promise(step)
        if step.op == "update":
            return self._update(step)
        if step.op in ("create", "create-replacement"):
            return self._create(step)
        raise EngineError(f"step {step.op!r} is not known")

    # -- operations

    def _same(self, step: Step) -> Resource:
        old, new = step.old, step.new
        if new is not old:
            new = stamped(new, old, changed=False)
            new = new.copy(
                id=old.id, outputs=_resecret(old, new), init_errors=old.init_errors, external=old.external,
                extra=old.extra,
            )
        self.run.done(step, new)
        return new

    def _promise(self, step: Step) -> Resource:
        keep = step.old if step.op == "update" else None
        new = step.new.copy(id=keep.id if keep else "", outputs=preview_outputs(step.goal, step.new, keep))
        if urns.is_provider(new.type):
            new = new.copy(id=new.id or str(uuid.uuid4()))
        if not new.custom:
            new = new.copy(outputs=keep.outputs if keep else {})
        if step.op == "create-replacement" and not self._already_gone(step.old):
            self.run.keep_for_deletion(step.old)
        self.run.done(step, new)
        return new

    def _create(self, step: Step) -> Resource:
        run, new = self.run, step.new
        if not new.custom:
            new = stamped(new, None, changed=True)
        elif urns.is_provider(new.type):
            outputs = {key: value for key, value in new.inputs.items() if key != "__internal"}
            new = stamped(new.copy(id=str(uuid.uuid4()), outputs=outputs), None, changed=True)
        else:
            run.begin(step)
            kind = kind_of(new.type)
            try:
                identity, outputs = kind.create(
                    run.daemon_of(new.provider), reveal(new.inputs), step.goal.timeout("create")
                )
            except Exception as error:
                run.undone(step, error)
                raise
            outputs = _secret_outputs(new, outputs)
            new = stamped(new.copy(id=identity, outputs=outputs), None, changed=True)
        if step.op == "create-replacement" and not self._already_gone(step.old):
            run.keep_for_deletion(step.old)
        run.done(step, new)
        return new

    def _already_gone(self, old: Resource) -> bool:
        recorded = self.run.olds.get(old.urn)
        return old.pending_replacement or (recorded is not None and recorded.pending_replacement)

    def _update(self, step: Step) -> Resource:
        run, old, new = self.run, step.old, step.new
        if not new.custom:
            new = stamped(new.copy(outputs=old.outputs), old, changed=True)
        elif urns.is_provider(new.type):
            outputs = {key: value for key, value in new.inputs.items() if key != "__internal"}
            new = stamped(new.copy(id=old.id, outputs=outputs), old, changed=True)
        else:
            run.begin(step)
            kind = kind_of(new.type)
            try:
                outputs = kind.update(
                    run.daemon_of(new.provider), old.id, reveal(new.inputs), reveal(old.outputs),
                    step.goal.timeout("update"),
                )
            except PartialError as error:
                # What the daemon has now is recorded, with the inputs that it last took over without error.
                partial = stamped(new, old, changed=True)
                reason = f"updating {new.urn}: 1 error occurred:\n\t* {error}\n\n"
                outputs = _secret_outputs(new, error.outputs)
                run.done(step, partial.copy(id=old.id, inputs=old.inputs, outputs=outputs, init_errors=[reason]))
                raise
            except Exception as error:
                run.undone(step, error)
                raise
            outputs = reseal(_secret_outputs(new, outputs), old.outputs)
            identity = outputs.get("id", old.id)
            new = stamped(new.copy(id=identity, outputs=outputs, extra=old.extra), old, changed=True)
        run.done(step, new)
        return new

    def _delete(self, step: Step) -> None:
        run, old = self.run, step.old
        if step.op == "delete" and old.protect:
            raise EngineError(("Preview failed: " if self.preview else "") + protected_message(old.urn))
        if not self.preview and not step.quiet and old.custom and not urns.is_provider(old.type):
            run.begin(step)
            timeout = old.custom_timeouts.get("delete")
            try:
                kind_of(old.type).delete(run.daemon_of(old.provider), old.id, reveal(old.outputs), timeout)
            except Exception as error:
                run.undone(step, error)
                raise
        run.removed(step, until_replaced=step.op == "delete-replaced" and not old.delete)

    # -- parallel deletions

    def run_deletions(self, steps: list[Step]) -> None:
        """Delete in parallel, dependents first. A failure stops what waits for it; EngineError at the end."""
        by_urn = {step.urn: step for step in steps}
        waiting: dict[int, set[int]] = {id(step): set() for step in steps}
        release: dict[int, list[Step]] = {id(step): [] for step in steps}
        for step in steps:
            for link in step.old.links():
                need = by_urn.get(link)
                if need is not None and need is not step:
                    waiting[id(need)].add(id(step))
                    release[id(step)].append(need)
        first = self._in_parallel(steps, waiting, release, self.apply)
        if first is not None:
            raise first

    def _in_parallel(
        self, steps: list[Step], waiting: dict[int, set[int]], release: dict[int, list[Step]],
        work: Callable[[Step], object],
    ) -> Exception | None:
        """Run ``work`` on each step once those it waits for are done; returns the first failure."""
        first: Exception | None = None
        if not steps:
            return None
        with ThreadPoolExecutor(max_workers=max(1, self.run.options.parallel)) as pool, _cancelling(pool):
            running: dict[Future, Step] = {
                pool.submit(work, step): step for step in steps if not waiting[id(step)]
            }
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    step = running.pop(future)
                    error = future.exception()
                    if error is not None:
                        first = first or error
                        continue
                    for freed in release[id(step)]:
                        waiting[id(freed)].discard(id(step))
                        if not waiting[id(freed)]:
                            running[pool.submit(work, freed)] = freed
        return first

    # -- refresh

    def refresh(self) -> None:
        """Read every recorded resource back; what is gone leaves the record. Changes ``run.olds`` in place."""
        run = self.run
        chosen = [item for item in run.olds.values() if not run.targets or run.targets.covers(item.urn)]
        steps = [Step("refresh", item.urn, item.type, old=item, new=item) for item in chosen]
        first = self._in_parallel(
            steps, {id(step): set() for step in steps}, {id(step): [] for step in steps}, self._refresh
        )
        if first is not None:
            raise first

    def _refresh(self, step: Step) -> None:
        from .diff import overlay

        run, old = self.run, step.old
        run.events.starting(step)
        try:
            fresh = old
            if old.custom and not urns.is_provider(old.type) and old.type != urns.REFERENCE_TYPE and old.id:
                kind = kind_of(old.type)
                found = None
                if not old.pending_replacement:
                    found = kind.read(run.daemon_of(old.provider), old.id, reveal(old.outputs))
                if found is None:
                    fresh = None
                else:
                    outputs = reseal(_secret_outputs(old, found[1], old.outputs), old.outputs)
                    inputs = annotate_secrets(overlay(kind.fields, reveal(old.inputs), found[1]), old.inputs)
                    fresh = old.copy(id=found[0], outputs=outputs, inputs=reseal(inputs, old.inputs), init_errors=[])
                    if old.init_errors and outputs == old.outputs:
                        fresh = old
        except Exception as error:
            run.failed.set()
            run.events.failed(step)
            run.events.diagnostic("error", f"refreshing {step.urn}: {error}", step.urn)
            raise
        step.new = fresh
        with run.lock:
            if fresh is None:
                run.gone.add(old.urn)
                run.olds.pop(old.urn, None)
            else:
                run.olds[old.urn] = fresh
        run.events.finished(step)


@contextlib.contextmanager
def _cancelling(pool: ThreadPoolExecutor) -> Iterator[None]:
    """Drop what has not begun when the operator interrupts."""
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _secret_outputs(new: Resource, outputs: dict, before: dict | None = None) -> dict:
    """Outputs with the secretness of the inputs, of the options and (``before``) of what was recorded."""
    outputs = annotate_secrets(outputs, new.inputs)
    if before is not None:
        outputs = annotate_secrets(outputs, before)
    return with_secret_keys(outputs, new.additional_secret_outputs)


def _resecret(old: Resource, new: Resource) -> dict:
    """Recorded outputs under the secretness that the program asks for now."""
    if not new.custom:
        return old.outputs
    return reseal(_secret_outputs(new, old.outputs), old.outputs)


_VERBS = {
    "create": "creating", "create-replacement": "creating", "update": "updating", "delete": "deleting",
    "delete-replaced": "deleting",
}


def _described(step: Step, error: Exception) -> str:
    """A failure in the CLI's words."""
    text = str(error) or type(error).__name__
    verb = _VERBS.get(step.op)
    if verb is None or "is protected" in text:
        return text
    if isinstance(error, PartialError):
        return f"1 error occurred:\n\t* {verb} {step.urn}: 1 error occurred:\n\t* {text}"
    return f"{verb} {step.urn}: 1 error occurred:\n\t* {text}"

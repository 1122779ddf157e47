"""After a crash: what an interrupted run had begun is looked up at the daemon and taken into the state."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stacks.engine import urn as urns
from stacks.engine.docker.base import Kind, kind_of
from stacks.engine.docker.daemon import Daemon, wait_until
from stacks.engine.errors import ProviderError
from stacks.engine.journal import Interrupted, Replay, in_dependency_order
from stacks.engine.state import Resource, Snapshot
from stacks.engine.values import annotate_secrets, reveal

UNFINISHED = "the last run was interrupted while it worked on this resource; it is applied again"
UNSEEN = "the last run was interrupted while it worked on this resource, and its daemon cannot be asked what came of it"
CLOCK_MARGIN = 5.0  # seconds by which the daemon's clock may be behind this host's
LATE = 3.0  # seconds within which a daemon may still carry out a request whose sender was killed


@dataclass
class Recovery:
    """`open_records`: journal records of operations that could not be looked into. `forgotten`: URN -> journal
    record of a creation whose object was not there."""

    snapshot: Snapshot
    open_records: list[dict] = field(default_factory=list)
    forgotten: dict[str, dict] = field(default_factory=dict)


def recover(replay: Replay, tell: Callable[[str], None]) -> Recovery:
    """The snapshot with interrupted operations accounted for.

    A creation whose object is there is adopted (or removed, where half an object is of no use), one whose object is
    not there is forgotten; an update is marked to be applied again; a deletion is noted when its object is gone.
    """
    snapshot = replay.snapshot
    table = {item.urn: item for item in snapshot.resources if not item.delete}
    condemned = [item for item in snapshot.resources if item.delete]
    result = Recovery(snapshot)
    for item in replay.interrupted:
        try:
            if item.op in ("delete", "delete-replaced"):
                condemned = _after_deletion(item, table, condemned)
                continue
            before, after = table.get(item.resource.urn), _outcome(item, table)
        except ProviderError as error:
            # Its daemon may be gone for good (another provider's): the stack must not be stuck on it.
            result.open_records.append(item.record)
            tell(f"{item.resource.urn}: {UNSEEN}: {error}")
            continue
        if after is None:
            result.forgotten[item.resource.urn] = item.record
            continue
        if before is not None and item.op == "create-replacement" and not before.pending_replacement:
            condemned.append(before.copy(delete=True))
        table[after.urn] = after
        tell(f"{after.urn}: {UNFINISHED}")
    snapshot.resources = in_dependency_order([*table.values(), *condemned])
    return result


def _outcome(item: Interrupted, table: dict[str, Resource]) -> Resource | None:
    if item.op == "update":
        recorded = table.get(item.resource.urn)
        return recorded and recorded.copy(init_errors=[UNFINISHED])
    if item.op in ("create", "create-replacement"):
        return _adopt(item, table)
    return None


def _after_deletion(item: Interrupted, table: dict[str, Resource], condemned: list[Resource]) -> list[Resource]:
    """Take a resource whose object is gone out of the record; one that is still there stays to be deleted again."""
    resource = item.resource
    daemon = _daemon(resource, table)
    if kind_of(resource.type).read(daemon, resource.id, reveal(resource.outputs)) is not None:
        return condemned
    if resource.delete:
        return [other for other in condemned if (other.urn, other.id) != (resource.urn, resource.id)]
    recorded = table.get(resource.urn)
    if recorded is not None and recorded.id == resource.id:
        if item.op == "delete-replaced":
            table[resource.urn] = recorded.copy(pending_replacement=True)
        else:
            table.pop(resource.urn)
    return condemned


def _daemon(resource: Resource, table: dict[str, Resource]) -> Daemon:
    provider = table.get(urns.provider_urn(resource.provider))
    return Daemon(reveal(provider.inputs) if provider else {})


def _adopt(item: Interrupted, table: dict[str, Resource]) -> Resource | None:
    resource, kind = item.resource, kind_of(item.resource.type)
    daemon = _daemon(resource, table)
    inputs = reveal(resource.inputs)
    identity = wait_until(lambda: kind.find(daemon, inputs), item.time + LATE - time.time())
    recorded = table.get(resource.urn)
    if identity is None or not _made_by_us(kind, daemon, identity, item.time):
        return None
    if recorded is not None and recorded.id == identity and not recorded.pending_replacement:
        return None
    previous = {key: value for key, value in inputs.items() if key != "__defaults"}
    if not kind.adoptable:
        kind.delete(daemon, identity, previous, None)
        return None
    state = kind.read(daemon, identity, previous)
    if state is None:
        return None
    return resource.copy(
        id=state[0],
        outputs=annotate_secrets(state[1], resource.inputs),
        pending_replacement=False,
        init_errors=[UNFINISHED] if kind.changeable() else [],
    )


def _made_by_us(kind: Kind, daemon: Daemon, identity: str, start: float) -> bool:
    """Whether the object was made after the interrupted creation had begun: an older one is somebody else's."""
    if not kind.inspect:
        return True  # volumes and images: making one that is there takes it over anyway, as the provider does
    data = daemon.find(kind.inspect.format(identity)) or {}
    text = re.sub(r"\.(\d{6})\d*", r".\1", data.get("CreatedAt") or data.get("Created") or "")
    try:
        created = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return True
    return created >= start - CLOCK_MARGIN

"""After a crash: what an interrupted run had begun is looked up at the daemon and taken into the state."""

from __future__ import annotations

from . import urn as urns
from .docker.base import kind_of
from .docker.daemon import Daemon
from .events import Events
from .journal import Interrupted, Replay, ordered
from .state import Resource, Snapshot
from .values import annotate_secrets, reveal

UNFINISHED = "the last run was interrupted while it worked on this resource; it is applied again"


def settle(found: Replay, events: Events | None) -> Snapshot:
    """The snapshot with interrupted operations accounted for.

    A creation whose object is there is adopted (and applied again by the next update), one whose object is not
    there is forgotten; an update is marked to be applied again; a deletion stays in the record until repeated.
    """
    snapshot = found.snapshot
    table = {item.urn: item for item in snapshot.resources if not item.delete}
    for item in found.interrupted:
        adopted = _settled(item, table)
        if adopted is not None:
            table[adopted.urn] = adopted
            _tell(events, f"{adopted.urn}: {UNFINISHED}")
    rest = [item for item in snapshot.resources if item.delete]
    snapshot.resources = ordered([*table.values(), *rest])
    return snapshot


def _settled(item: Interrupted, table: dict[str, Resource]) -> Resource | None:
    resource = item.resource
    if item.op == "update":
        recorded = table.get(resource.urn)
        return recorded and recorded.copy(init_errors=[UNFINISHED])
    if item.op in ("create", "create-replacement"):
        return _adopted(resource, table)
    return None


def _adopted(resource: Resource, table: dict[str, Resource]) -> Resource | None:
    kind = kind_of(resource.type)
    provider = table.get(urns.provider_urn(resource.provider))
    daemon = Daemon(reveal(provider.inputs) if provider else {})
    identity = kind.find(daemon, reveal(resource.inputs))
    recorded = table.get(resource.urn)
    if identity is None or (recorded is not None and recorded.id == identity):
        return None
    inputs = reveal(resource.inputs)
    read = kind.read(daemon, identity, {key: value for key, value in inputs.items() if key != "__defaults"})
    if read is None:
        return None
    return resource.copy(
        id=read[0], outputs=annotate_secrets(read[1], resource.inputs), init_errors=[UNFINISHED],
        pending_replacement=False,
    )


def _tell(events: Events | None, message: str) -> None:
    if events is not None:
        events.diagnostic("warning", message)

"""Messages of other systems to the framework: the business log, and who signed in."""

from __future__ import annotations

from django.utils.dateparse import parse_datetime

from systems.chain import Message, handles
from systems.keret.models import Activity, Presence, User


@handles("activity")
def activity(message: Message) -> None:
    """Store a line of the business log."""
    body = message.body
    Activity.objects.create(
        at=parse_datetime(body["at"]),
        username=body["username"],
        name=body["name"],
        system=message.source,
        action=body["action"][:80],
        subject=body["subject"][:200],
    )


@handles("signed-in")
def signed_in(message: Message) -> None:
    """Record that a clerk signed in to a system, with these roles."""
    body, at = message.body, parse_datetime(message.body["at"])
    user, _ = User.objects.get_or_create(username=body["username"], defaults={"name": body["name"]})
    user.name, user.token_roles, user.last_seen = body["name"], body["roles"], at
    user.save(update_fields=["name", "token_roles", "last_seen"])
    Presence.objects.create(username=body["username"], system=message.source, began_at=at)


@handles("present")
def present(message: Message) -> None:
    """Record that a clerk's session in a system is in use; one that has ended meanwhile stays ended."""
    at = parse_datetime(message.body["at"])
    presences = Presence.objects.inside(at).filter(username=message.body["username"], system=message.source)
    presences.update(seen_at=at)


@handles("signed-out")
def signed_out(message: Message) -> None:
    """A clerk signed out, which ends their sessions in every system."""
    at = parse_datetime(message.body["at"])
    end_sessions(message.body["username"], at)


def end_sessions(username: str, at) -> None:
    """End the sessions of a clerk that began before a moment, in every system."""
    User.objects.filter(username=username).update(not_before=at)
    Presence.objects.filter(username=username, ended_at=None, began_at__lte=at).update(ended_at=at)

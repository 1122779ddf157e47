"""Messages of other systems to the framework: the business log, who signed in, and whose session is in use."""

from __future__ import annotations

from django.utils.dateparse import parse_datetime

from systems.chain import Message, Unacceptable, handles
from systems.keret.models import Activity, Presence, User

FRAMEWORK = "keret"


@handles("activity")
def activity(message: Message) -> None:
    """Store a line of the business log. Its `system` is the sender, whose word it is, whatever clerk it names."""
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
    """Record that a clerk signed in to a system, with the roles there.

    Only the framework's own sign-in speaks for the roles of every system and for the clerk's name. Unacceptable when
    another system names roles that are not its own.
    """
    body, at, source = message.body, parse_datetime(message.body["at"]), message.source
    roles = set(body["roles"])
    foreign = sorted(role for role in roles if source != FRAMEWORK and role.partition(".")[0] != source)
    if foreign:
        raise Unacceptable(f"{source} says that a clerk has roles of other systems: {', '.join(foreign)}")
    user, _ = User.objects.get_or_create(username=body["username"], defaults={"name": body["name"]})
    if source == FRAMEWORK:
        user.name = body["name"]
    else:
        roles |= {role for role in user.token_roles if role.partition(".")[0] != source}
    user.token_roles, user.last_seen = sorted(roles), at
    user.save(update_fields=["name", "token_roles", "last_seen"])
    Presence.objects.create(username=body["username"], system=message.source, began_at=at)


@handles("present")
def present(message: Message) -> None:
    """Record that a clerk's session in a system is in use; one that has ended meanwhile stays ended."""
    at = parse_datetime(message.body["at"])
    presences = Presence.objects.inside(at).filter(username=message.body["username"], system=message.source)
    presences.update(seen_at=at)


def end_sessions(username: str, at) -> None:
    """End the sessions of a clerk that began before a moment, in every system."""
    User.objects.filter(username=username).update(not_before=at)
    Presence.objects.filter(username=username, ended_at=None, began_at__lte=at).update(ended_at=at)

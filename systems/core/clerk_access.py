"""What the framework says about a clerk right now: locked, signed out, which roles. Read at every request.

keret publishes it as the view `keret.clerk_access` in the tenant's database, so a lock, the end of a substitution or a
forced sign-out takes effect at the next request in every system.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True)
class ClerkAccess:
    """`managed`: `roles` replace those of the sign-in, otherwise they add to them.

    `not_before`: sessions that began earlier are over.
    """

    locked: bool
    not_before: dt.datetime | None
    managed: bool
    roles: tuple[str, ...]

    def allows(self, since: float) -> bool:
        """Whether a session that began at that moment (Unix seconds) may go on."""
        return not self.locked and (self.not_before is None or since >= self.not_before.timestamp())

    def effective(self, token_roles: tuple[str, ...]) -> tuple[str, ...]:
        """Roles as `<system>.<role>`, given those of the sign-in."""
        return tuple(sorted({*self.roles, *(() if self.managed else token_roles)}))


def fetch(username: str) -> ClerkAccess | None:
    """A clerk's access; None for a clerk who has never signed in and whom no administrator has entered."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT locked, not_before, managed, roles FROM keret.clerk_access WHERE username = %s", [username]
        )
        row = cursor.fetchone()
    return ClerkAccess(row[0], row[1], row[2], tuple(row[3])) if row else None

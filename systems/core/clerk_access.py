"""What the framework says of a clerk right now: locked, signed out, and which roles. Asked at every request.

keret publishes it as the view `keret.clerk_access` in the tenant's database, so a lock, an ended substitution or a
forced sign-out holds from the next request on in every system.
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


def of(username: str) -> ClerkAccess | None:
    """What is said of a clerk; None of one whom the framework has not met yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT locked, not_before, managed, roles FROM keret.clerk_access WHERE username = %s", [username]
        )
        row = cursor.fetchone()
    return ClerkAccess(row[0], row[1], row[2], tuple(row[3])) if row else None

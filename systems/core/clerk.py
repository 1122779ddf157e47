"""The clerk who is signed in, as the session remembers them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from django.http import HttpRequest

from systems.core import clerk_access

KEY = "clerk"
LONGEST = 12 * 3600  # seconds after which even busy clerks sign in again: roles and locks reach them within a day


@dataclass(frozen=True)
class Clerk:
    """Username, full name in Hungarian order, and roles as `<system>.<role>`."""

    username: str
    name: str
    roles: tuple[str, ...]
    id_token: str

    @classmethod
    def from_session(cls, request: HttpRequest) -> Clerk | None:
        """The clerk of a session that the owner of this certificate began and the framework has not ended.

        Roles are those that hold now. None: nobody is signed in, or no longer.
        """
        data = request.session.get(KEY)
        bearer = request.tenant.bearer
        if not data or bearer is None or data["username"] != bearer.username or data.get("until", 0) < time.time():
            return None
        roles = tuple(data["roles"])
        if access := clerk_access.fetch(data["username"]):
            if not access.allows(data.get("since", 0)):
                return None
            roles = access.effective(roles)
        return cls(data["username"], data["name"], roles, data["id_token"])

    def remember(self, request: HttpRequest) -> None:
        """Begin the clerk's session, with a new session key."""
        request.session.cycle_key()
        now = time.time()
        request.session[KEY] = {**asdict(self), "roles": list(self.roles), "since": now, "until": int(now) + LONGEST}

    def roles_in(self, system: str) -> set[str]:
        """Roles in one system, without the system's prefix."""
        prefix = f"{system}."
        return {role.removeprefix(prefix) for role in self.roles if role.startswith(prefix)}

"""The clerk who is signed in, as the session remembers them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from django.http import HttpRequest

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
    def of(cls, request: HttpRequest) -> Clerk | None:
        """The clerk of a session that began with this very certificate's owner; None otherwise."""
        data = request.session.get(KEY)
        bearer = request.tenant.bearer
        if not data or bearer is None or data["username"] != bearer.username or data.get("until", 0) < time.time():
            return None
        return cls(data["username"], data["name"], tuple(data["roles"]), data["id_token"])

    def remember(self, request: HttpRequest) -> None:
        """Begin a session of theirs; its key is a new one."""
        request.session.cycle_key()
        request.session[KEY] = {**asdict(self), "roles": list(self.roles), "until": int(time.time()) + LONGEST}

    def roles_in(self, system: str) -> set[str]:
        """Roles in one system, without its prefix."""
        prefix = f"{system}."
        return {role.removeprefix(prefix) for role in self.roles if role.startswith(prefix)}

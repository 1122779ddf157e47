"""Closing and opening one person's sign-in: sessions end, and the account is disabled only when that is due."""

import pytest

from centre.identity import sign_in

NAME = "minta.iktato"


class Keycloak:
    """One user; `changes`: what was done."""

    def __init__(self, enabled=True, sessions=2):
        self.user = {"id": "u", "username": NAME, "enabled": enabled}
        self.sessions, self.changes = [{}] * sessions, []

    def get(self, *parts, **query):
        if parts == ("users",):
            assert query["exact"], "a part of a name is somebody else's"
            return [self.user] if query["username"] == NAME else []
        assert parts == ("users", "u", "sessions")
        return self.sessions

    def replace(self, *parts, body):
        assert parts == ("users", "u") and body["username"] == NAME
        self.changes.append("enabled" if body["enabled"] else "disabled")

    def create(self, *parts, body):
        self.changes.append(parts[-1])


@pytest.mark.parametrize(
    ("disable", "enabled", "sessions", "changes", "lines"),
    [
        (True, True, 2, ["disabled", "logout"], [f"user {NAME} disabled", f"2 sessions of {NAME} ended"]),
        (False, True, 2, ["logout"], [f"2 sessions of {NAME} ended"]),  # their other certificate still opens
        (True, False, 0, [], []),
    ],
)
def test_a_sign_in_is_closed_as_far_as_is_due(disable, enabled, sessions, changes, lines):
    keycloak = Keycloak(enabled, sessions)
    assert sign_in.close(keycloak, NAME, disable=disable) == lines and keycloak.changes == changes


@pytest.mark.parametrize(("enabled", "changes"), [(False, ["enabled"]), (True, [])])
def test_a_sign_in_is_opened_where_it_is_closed(enabled, changes):
    keycloak = Keycloak(enabled)
    assert bool(sign_in.reopen(keycloak, NAME)) is bool(changes) and keycloak.changes == changes


def test_somebody_who_is_not_there_is_neither_closed_nor_opened():
    keycloak = Keycloak()
    assert sign_in.close(keycloak, "senki", disable=True) == sign_in.reopen(keycloak, "senki") == []
    assert keycloak.changes == []

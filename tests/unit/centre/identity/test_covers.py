"""What Keycloak shows is compared with what is due: defaults of its own are fine, what gives away more is not."""

import pytest

from centre.identity import clients

NAME = {"name": "name", "config": {"claim.name": "name"}}
ROLES = {"name": "roles", "config": {"claim.name": "roles"}}
DUE = {"enabled": True, "scopes": ["email", "basic"], "mappers": [NAME, ROLES]}


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, True),
        ({"a default of Keycloak's": 1}, True),
        ({"scopes": ["basic", "email"]}, True),
        ({"mappers": [ROLES, NAME | {"id": "x"}]}, True),
        ({"mappers": [NAME, ROLES, {"name": "tax sign", "config": {}}]}, False),  # writes one claim more into tokens
        ({"mappers": [NAME]}, False),
        ({"mappers": [NAME, ROLES | {"config": {"claim.name": "groups"}}]}, False),
        ({"mappers": []}, False),
        ({"mappers": None}, False),
        ({"scopes": ["basic", "email", "offline_access"]}, False),
        ({"scopes": ["basic"]}, False),
        ({"enabled": False}, False),
    ],
)
def test_more_or_less_than_is_due_is_seen(change, covered):
    assert clients.covers(DUE | change, DUE) is covered


def test_nothing_covers_what_is_not_there():
    assert not clients.covers(None, DUE) and not clients.covers({}, DUE)

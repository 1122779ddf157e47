"""A centre without services: a register with its vault, and a step-ca, an edge and a Keycloak that only remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from centre.edge import revocation, withdrawal
from centre.edge.withdrawal import Withdrawals
from inventory import paths
from inventory.register import load
from inventory.vault import vault


@dataclass
class Centre:
    """`listed`: step-ca's list, serial number → code. `user`: the one account at Keycloak."""

    listed: dict[int, int] = field(default_factory=dict)
    edge_follows: bool = True
    user: dict[str, Any] = field(default_factory=lambda: {"id": "1", "username": "minta.iktato", "enabled": True})
    sessions: list[str] = field(default_factory=lambda: ["morning", "noon"])

    def revoke_all(self, register, secrets, runtime, codes):
        self.listed |= codes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def get(self, *parts, **query):
        if parts == ("users",):
            return [self.user] if query["username"] == self.user["username"] and query["exact"] else []
        return self.sessions if parts == ("users", "1", "sessions") else []

    def replace(self, *parts, body):
        assert parts == ("users", "1")
        self.user = body

    def create(self, *parts, body):
        assert parts == ("users", "1", "logout")
        self.sessions = []


@pytest.fixture
def centre(monkeypatch):
    centre = Centre()
    monkeypatch.setattr(revocation, "revoke_all", centre.revoke_all)
    monkeypatch.setattr(revocation, "serials_at_authority", lambda register, runtime: set(centre.listed))
    monkeypatch.setattr(
        revocation, "serials_at_edge", lambda register, runtime: set(centre.listed) if centre.edge_follows else set()
    )
    monkeypatch.setattr(withdrawal, "Keycloak", lambda runtime, secrets: centre)
    return centre


@pytest.fixture
def register(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    return load("test")


@pytest.fixture
def secrets(register):
    return vault.ensure(register)[0]


@pytest.fixture
def withdrawals(register, secrets):
    return Withdrawals(register, secrets)


@pytest.fixture
def runtime():
    return SimpleNamespace()

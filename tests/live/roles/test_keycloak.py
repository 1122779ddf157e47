"""The true Keycloak does what the one made of dictionaries does that unit tests plan against, in a realm of its own."""

import json
import secrets as random

import pytest

from centre.reach.keycloak import EVERYTHING, Keycloak
from inventory.vault import vault
from stacks.configs import realm
from tests.contracts.keycloak import KeycloakContract


class Administrator(Keycloak):
    """Makes realms, too."""

    def make(self, name: str, settings: dict) -> None:
        self._session.request("POST", "/admin/realms", {**settings, "realm": name, "id": name})


@pytest.fixture(scope="module")
def administrator(register, runtime):
    with Administrator(runtime, vault.load(register)) as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def settings(register):
    return json.loads(realm.render(register))


@pytest.fixture(scope="module")
def empty(administrator, settings):
    """A realm in which nobody is."""
    name = f"contract-{random.token_hex(3)}"
    administrator.make(name, settings)
    yield administrator.beside(name)
    administrator.beside(name).remove()


@pytest.fixture
def api(empty):
    yield empty
    tidy(empty)


def tidy(api):
    """Remove what a test has made, which takes less than another realm."""
    for kind in ("organizations", "users"):
        for entry in api.get(kind, max=EVERYTHING):
            api.remove(kind, entry["id"])
    for client in api.get("clients", clientId="t99999", search=True):
        api.remove("clients", client["id"])
    for flow in api.get("authentication", "flows"):
        if flow["alias"].startswith("proba"):
            api.remove("authentication", "flows", flow["id"])


class TestKeycloak(KeycloakContract):
    pass

"""The true Keycloak does what the one made of dictionaries does that unit tests plan against, in a realm of its own."""

import json
import secrets as random

import pytest

from centre.reach.keycloak import Keycloak
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


@pytest.fixture
def api(administrator, settings):
    name = f"contract-{random.token_hex(3)}"
    administrator.make(name, settings)
    yield administrator.beside(name)
    administrator.beside(name).remove()


class TestKeycloak(KeycloakContract):
    pass

"""The Keycloak made of dictionaries does what a Keycloak does: tests/live/roles/test_keycloak.py is the other side."""

import pytest

from inventory.register import load
from stacks.configs import realm
from tests.contracts.keycloak import KeycloakContract
from tests.unit.centre.identity.shelf import Shelf


@pytest.fixture(scope="module")
def import_file():
    return realm.render(load("test"))


@pytest.fixture
def api(import_file):
    return Shelf(import_file)


class TestShelf(KeycloakContract):
    pass

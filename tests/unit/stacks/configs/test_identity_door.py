"""Who may ask Keycloak for what, as the door's configuration says it; the door itself is tried in tests/live."""

import re

import pytest

from inventory.register import load
from stacks.configs import identity_door


@pytest.fixture(scope="module")
def register():
    return load("test")


@pytest.fixture(scope="module")
def paths(register):
    """Kind of caller → paths and beginnings of paths that it may ask for."""
    text = identity_door.render(register)
    return {
        kind: [path for line in re.findall(rf"acl {kind} path\S* (.*)", text) for path in line.split()]
        for kind in ("for_browsers", "for_apps")
    }


def test_app_servers_get_tokens_and_keys_of_two_realms(paths):
    ends = {"token", "certs"}
    realms = {"asp", "ugyfel"}
    assert set(paths["for_apps"]) == {f"/realms/{r}/protocol/openid-connect/{end}" for r in realms for end in ends}


def test_nobody_gets_administration_the_first_realm_or_an_account(paths):
    every = [path for kind in paths.values() for path in kind]
    assert len(every) > 10
    assert not [path for path in every if re.match("/(admin|metrics|realms/master|realms/[a-z]+/account)", path)]
    assert not [path for path in paths["for_browsers"] if path.endswith("/token")], "browsers carry codes, no tokens"


def test_a_clerks_certificate_is_believed_from_the_edge_alone(register):
    text = identity_door.render(register)
    edge = register.names.network("edge-identity").subnet
    assert f"acl edge src {edge}" in text
    for header in ("client-cert -m beg", "client_cert -m beg", "x-forwarded- -m beg", "forwarded"):
        assert f"http-request del-header {header} unless edge" in text
    assert "http-request deny deny_status 404 unless edge for_browsers or apps for_apps or edge ready" in text

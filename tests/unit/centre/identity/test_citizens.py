"""What is planned in the citizens' realm, against a Keycloak made of dictionaries; the true one: tests/live."""

import json

import pytest

from centre.identity.citizens import CitizenPlanner, client
from inventory import paths
from inventory.register import load
from inventory.vault import vault
from stacks.configs import citizen_realm, realm
from tests.unit.centre.identity.shelf import Shelf


@pytest.fixture(scope="module")
def register():
    return load("test")


@pytest.fixture(scope="module")
def secrets(register, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "LOCAL", tmp_path_factory.mktemp("local"))
        secrets, _ = vault.ensure(register)
    return secrets


@pytest.fixture
def shelf(register):
    return Shelf(citizen_realm.render(register))


@pytest.fixture
def plan(register, secrets, shelf):
    def go(state, *municipalities, carry_out=True):
        plan = getattr(CitizenPlanner(register, secrets, shelf), state)(
            [m if not isinstance(m, str) else register.municipality(m) for m in municipalities]
        )
        if carry_out:
            plan.carry_out()
        return plan.lines

    return go


def test_planning_changes_nothing(plan, shelf):
    assert len(plan("present", "16054", carry_out=False)) == 3
    assert (shelf.clients, shelf.users) == ({}, {})


def test_a_second_plan_is_empty_and_leaving_takes_the_client_only(plan, shelf):
    assert plan("present", "16054", "14915")
    assert plan("present", "16054", "14915") == []
    assert plan("absent", "14915") == ["citizens' client t14915-elugy: present → absent"]
    assert ([c["clientId"] for c in shelf.clients.values()], len(shelf.users)) == (["t16054-elugy"], 2)


def test_a_municipality_without_e_administration_has_no_client(plan, shelf, register):
    plan("present", "16054")
    without = register.municipality("16054").model_copy(update={"systems": ["keret", "irat"]})
    assert plan("present", without) == ["citizens' client t16054-elugy: present → absent"]


def test_passwords_and_secrets_are_set_and_never_told(plan, shelf, register, secrets):
    lines = plan("present", "16054")
    citizen = register.environment.citizens[0]
    password = secrets.citizen_password(citizen)
    entry = next(user for user in shelf.users.values() if user["username"] == citizen.username)
    assert entry["credentials"] == [{"type": "password", "value": password, "temporary": False}]
    assert entry["attributes"] == {"identifier": [citizen.identifier]}
    secret = secrets.citizens_oidc_secret(register.municipality("16054"), "elugy")
    assert next(iter(shelf.clients.values()))["secret"] == secret
    assert secret != secrets.oidc_secret(register.municipality("16054"), "elugy")
    assert len({secrets.citizen_password(citizen) for citizen in register.environment.citizens}) == 2
    shelf.clients[next(iter(shelf.clients))]["secret"] = "by hand"
    entry["lastName"] = "Elírt"
    lines += plan("present", "16054")
    assert lines[-2:] == [
        "citizens' client t16054-elugy: differs in secret → as the register says",
        f"citizen {citizen.username}: differs in lastName → as the register says",
    ]
    assert password not in str(lines) and secret not in str(lines)


def test_scopes_are_put_right(plan, shelf):
    plan("present", "16054")
    next(iter(shelf.clients.values()))["defaultClientScopes"] = ["basic", "phone"]
    lines = plan("present", "16054")
    assert lines == ["citizens' client t16054-elugy: differs in defaultClientScopes → as the register says"]
    assert plan("present", "16054") == []


def test_the_identifier_is_in_the_id_token_and_in_no_other(register):
    [mapper] = client(register.municipality("16054"), "s")["protocolMappers"]
    into = {key: value for key, value in mapper["config"].items() if key.endswith("token.claim")}
    assert into == {"id.token.claim": "true", "access.token.claim": "false", "userinfo.token.claim": "false"}


def test_a_client_leads_back_to_one_address_only(plan, shelf, register):
    plan("present", "16054")
    entry = next(iter(shelf.clients.values()))
    assert entry["redirectUris"] == [f"{register.municipality('16054').origin}/elugy/ugyfel/callback"]
    assert entry["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not (entry["publicClient"] or entry["directAccessGrantsEnabled"] or entry["fullScopeAllowed"])


def test_the_client_of_before_goes(plan, shelf):
    shelf.create("clients", body={"clientId": "t16054", "protocolMappers": []})
    assert plan("present", "16054")[0] == "citizens' client t16054: present → absent"


def test_nobody_can_lock_a_citizen_out(register):
    """Anybody reaches the citizens' password form: whatever waits by account, a stranger can aim."""
    assert citizen_realm.settings(register)["bruteForceProtected"] is False


def test_the_realms_are_two_and_citizens_cannot_change_who_they_are(register):
    config = json.loads(citizen_realm.render(register))
    assert config["realm"] != realm.REALM
    assert not config["registrationAllowed"]
    [provider] = config["components"]["org.keycloak.userprofile.UserProfileProvider"]
    [text] = provider["config"]["kc.user.profile.config"]
    profile = {entry["name"]: entry["permissions"]["edit"] for entry in json.loads(text)["attributes"]}
    assert profile["identifier"] == ["admin"]


def test_an_operator_can_ask_what_a_citizen_signs_in_with(register, tmp_path, monkeypatch, capsys):
    from inventory.__main__ import main

    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    assert main(["citizens", "--env", "test"]) == 2
    assert "Run make up first" in capsys.readouterr().err
    secrets, _ = vault.ensure(register)
    assert main(["citizens", "--env", "test"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(register.environment.citizens)
    assert secrets.citizen_password(register.environment.citizens[0]) in lines[0]

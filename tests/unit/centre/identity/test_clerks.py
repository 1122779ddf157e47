"""What the identity role plans, against a Keycloak made of dictionaries: the true one is in tests/live/roles."""

import json

import pytest

from centre.identity.clerks import IdentityPlanner, roles_of
from centre.identity.staff_clients import client, roles_holder
from centre.reach.runtime import RuntimeFault
from inventory import paths
from inventory.models import SecondFactor
from inventory.register import load
from inventory.vault import vault
from stacks.configs import realm, sign_in_flow
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
    return Shelf(realm.render(register))


@pytest.fixture
def plan(register, secrets, shelf):
    def go(state, *codes, carry_out=True):
        planner = IdentityPlanner(register, secrets, shelf)
        plan = getattr(planner, state)([register.municipality(ksh) for ksh in codes])
        if carry_out:
            plan.carry_out()
        return plan.lines

    return go


def test_planning_changes_nothing(plan, shelf):
    assert len(plan("present", "16054", carry_out=False)) > 5
    assert (shelf.organizations, shelf.clients, shelf.users) == ({}, {}, {})


def test_a_second_plan_is_empty(plan):
    assert plan("present", "16054", "14915", "29188")
    assert plan("present", "16054", "14915", "29188") == []


def test_a_joint_offices_clerk_is_made_once_and_belongs_to_each_member(plan, shelf):
    lines = plan("present", "14915", "29188")
    assert sum(line.startswith("user proba.kozos") for line in lines) == 1
    assert [user["username"] for user in shelf.users.values()] == ["proba.kozos"]
    assert all(len(members) == 1 for members in shelf.members.values())


def test_leaving_one_by_one_removes_the_clerk_with_the_last(plan, shelf):
    plan("present", "14915", "29188")
    assert "member proba.kozos of t29188: yes → no" in plan("absent", "29188")
    assert shelf.users
    assert "user proba.kozos: present → absent" in plan("absent", "14915")
    assert (shelf.users, shelf.organizations, shelf.clients) == ({}, {}, {})


def test_leaving_together_removes_the_clerk_once(plan, shelf):
    plan("present", "14915", "29188")
    lines = plan("absent", "14915", "29188")
    assert sum("proba.kozos" in line for line in lines) == 1
    assert shelf.users == {}


def test_whoever_left_the_office_signs_in_no_more(plan, shelf):
    plan("present", "16054")
    organization = next(iter(shelf.organizations))
    for name in ("volt.egy", "volt.ketto"):
        user = shelf.create("users", body={"username": name, "enabled": True})
        shelf.create("organizations", organization, "members", body=user)
    assert plan("present", "16054") == ["user volt.egy: present → absent", "user volt.ketto: present → absent"]


def test_roles_are_put_right(plan, shelf):
    plan("present", "16054")
    owner = shelf.client("t16054")["id"]
    user = next(u["id"] for u in shelf.users.values() if u["username"] == "minta.iktato")
    shelf.mappings[user, owner] = {"irat.olvaso", "keret.felhasznalo"}
    shelf.roles[owner].add("keret.mindenhato")
    assert plan("present", "16054") == [
        "roles of client t16054: keret.mindenhato → removed",
        "roles of minta.iktato at t16054: irat.olvaso, keret.felhasznalo → irat.iktato, keret.felhasznalo",
    ]
    assert shelf.mappings[user, owner] == {"irat.iktato", "keret.felhasznalo"}


def test_what_keycloak_adds_by_itself_is_no_difference(plan, shelf):
    plan("present", "16054")
    own = shelf.client("t16054-irat")
    own["attributes"]["realm_client"] = "false"
    own["protocolMappers"][0]["consentRequired"] = False
    own["notBefore"] = 0
    own["defaultClientScopes"].reverse()
    shelf.client("t16054")["defaultClientScopes"] = ["web-origins"]
    assert plan("present", "16054") == []


def test_scopes_are_put_right(plan, shelf):
    plan("present", "16054")
    own = shelf.client("t16054-irat")
    own["defaultClientScopes"], own["optionalClientScopes"] = ["basic", "phone", "organization"], ["email"]
    lines = plan("present", "16054")
    assert sorted(line.partition(":")[0] for line in lines) == [
        "defaultClientScopes of client t16054-irat", "optionalClientScopes of client t16054-irat"]  # fmt: skip
    assert set(own["defaultClientScopes"]) == {"basic", "acr", "profile", "email"}
    assert own["optionalClientScopes"] == ["organization"]
    assert plan("present", "16054") == []


def test_the_secret_is_put_right_and_not_told(plan, shelf, secrets, register):
    plan("present", "16054")
    shelf.client("t16054-irat")["secret"] = "changed by hand"
    lines = plan("present", "16054")
    assert lines == ["client t16054-irat: differs in secret → as the register says"]
    assert shelf.client("t16054-irat")["secret"] == secrets.oidc_secret(register.municipality("16054"), "irat")


def test_every_system_of_every_municipality_has_a_secret_of_its_own(plan, shelf, register):
    plan("present", "16054", "14915")
    systems = [s for ksh in ("16054", "14915") for s in register.municipality(ksh).systems]
    secrets_of_systems = {client["secret"] for client in shelf.clients.values() if "secret" in client}
    assert len(secrets_of_systems) == len(systems) > 10


def test_the_client_of_all_systems_of_before_becomes_a_holder_of_roles_that_nobody_signs_in_at(plan, shelf, register):
    plan("present", "16054")
    holder = shelf.client("t16054")
    former = {"bearerOnly": False, "standardFlowEnabled": True, "redirectUris": ["https://x/*"], "secret": "old",
              "clientAuthenticatorType": "client-secret"}  # fmt: skip
    holder.update(former)
    assert plan("present", "16054")[0].startswith("client t16054: differs in bearerOnly")
    holder = shelf.client("t16054")
    assert (holder["bearerOnly"], holder["standardFlowEnabled"], holder["redirectUris"]) == (True, False, [])
    assert holder["clientAuthenticatorType"] == "client-jwt", "its old secret opens nothing"
    assert holder["id"] in shelf.roles, "clerks keep their roles"


def test_the_client_of_a_system_that_a_municipality_has_no_more_goes(plan, shelf, register):
    plan("present", "16054")
    shelf.create("clients", body={"clientId": "t16054-regi"})
    assert plan("present", "16054") == ["client t16054-regi: present → absent"]


def test_an_organization_with_another_alias_is_not_taken_for_ours(plan, shelf):
    shelf.create("organizations", body={"name": "Sajószentpéter", "alias": "t99999", "enabled": True})
    with pytest.raises(RuntimeFault, match="alias seen t99999, wanted t16054"):
        plan("present", "16054")


def test_a_disabled_organization_is_enabled(plan, shelf):
    plan("present", "16054")
    next(iter(shelf.organizations.values()))["enabled"] = False
    assert plan("present", "16054") == ["organization t16054: disabled → enabled"]


def test_a_changed_session_length_reaches_a_running_realm(plan, shelf):
    shelf.realm["ssoSessionIdleTimeout"] = 1
    assert plan("present", "16054")[0].startswith("realm asp: {'ssoSessionIdleTimeout': 1} → ")
    assert shelf.realm["ssoSessionIdleTimeout"] == 1800


def test_a_realm_keeps_what_nobody_changed(plan, shelf):
    shelf.realm |= {"ssoSessionIdleTimeout": 1, "smtpServer": {"host": "mail"}}
    plan("present", "16054")
    assert shelf.realm["smtpServer"] == {"host": "mail"} and shelf.realm["browserFlow"] == "asp sign-in A"


def test_roles_of_systems_that_a_municipality_lacks_are_not_given(register):
    office = register.office_of(register.municipality("16054"))
    clerk = office.clerks[0]
    without = register.municipality("16054").model_copy(update={"systems": ["keret"]})
    assert roles_of(clerk, without) == {"keret.felhasznalo"}


def test_a_client_leads_back_to_its_own_system_only(register):
    municipality = register.municipality("16054")
    entry = client(municipality, "irat", "s")
    assert entry["clientId"] == "t16054-irat"
    assert entry["redirectUris"] == [f"{municipality.origin}/irat/oidc/callback"]
    assert entry["attributes"]["post.logout.redirect.uris"] == f"{municipality.origin}/irat/kijelentkezve"
    mapper = entry["protocolMappers"][0]["config"]
    assert (mapper["claim.name"], mapper["id.token.claim"]) == ("resource_access.t16054.roles", "true")
    assert "roles" not in entry["defaultClientScopes"], "else its tokens carried every role of the clerk"
    assert not any(value for key, value in roles_holder(municipality).items() if key.endswith("FlowEnabled"))


def test_the_realm_asks_for_nothing_before_the_certificate(register):
    imported = json.loads(realm.render(register))
    steps = {flow["alias"]: flow["authenticationExecutions"] for flow in imported["authenticationFlows"]}
    cookie, clerk = steps[imported["browserFlow"]]
    assert (cookie["authenticator"], clerk["requirement"]) == ("auth-cookie", "ALTERNATIVE")
    certificate, *others = steps[clerk["flowAlias"]]
    assert (certificate["authenticator"], certificate["requirement"]) == ("auth-x509-client-username-form", "REQUIRED")
    assert [step["flowAlias"] for step in others] == ["asp sign-in A second factor"]
    once, *passwords = steps["asp sign-in A second factor"]
    assert once["authenticator"] == "conditional-level-of-authentication"
    assert [step["flowAlias"].removeprefix("asp sign-in A ") for step in passwords] == ["password", "first password"]
    assert "username" not in str([step.get("authenticator") for step in steps["asp sign-in A password"]])
    config = imported["authenticatorConfig"][0]["config"]
    assert config["x509-cert-auth.revalidate-certificate-enabled"] == "true"
    assert imported["sslRequired"] == "all"


@pytest.mark.parametrize("factor", SecondFactor)
def test_the_second_factor_of_the_register_reaches_a_running_realm_in_one_step(
    register, secrets, shelf, factor, monkeypatch
):
    monkeypatch.setitem(register.environment.identity.__dict__, "second_factor", factor)

    def plan():
        plan = IdentityPlanner(register, secrets, shelf).present([])
        plan.carry_out()
        return plan.lines

    changed = plan()
    assert (changed == []) == (factor == SecondFactor.PASSWORD), "the fixture's realm asks for a password"
    assert plan() == []
    steps = [
        entry.get("providerId")
        for entry in shelf.get("authentication", "flows", shelf.realm["browserFlow"], "executions")
    ]
    last = {"password": "reset-password", "totp": "auth-otp-form", "none": "auth-x509-client-username-form"}
    assert steps[-1] == last[factor]
    assert sum(flow["topLevel"] for flow in shelf.flows.values()) == 2, "the flow of before is gone"


def test_a_flow_changed_by_hand_is_built_anew(plan, shelf):
    shelf.flows["asp sign-in A clerk"]["steps"][0]["requirement"] = "ALTERNATIVE"
    assert plan("present") == ["browserFlow of realm asp: asp sign-in A (differs) → asp sign-in B"]
    assert plan("present") == []


def test_password_grants_end_whatever_a_client_is_set_to(plan, shelf):
    shelf.realm["directGrantFlow"] = "direct grant"
    assert plan("present") == ["directGrantFlow of realm asp: direct grant → asp no direct grant A"]
    [step] = shelf.flows["asp no direct grant A"]["steps"]
    assert (step["providerId"], step["requirement"]) == (sign_in_flow.DENY, "REQUIRED")


def test_clients_that_nobody_uses_are_closed(plan, shelf):
    for name in ("admin-cli", "account-console"):
        shelf.create("clients", body={"clientId": name, "enabled": True, "directAccessGrantsEnabled": True})
    assert [line.split()[1] for line in plan("present")] == ["account-console", "admin-cli"]
    assert not any(client["enabled"] for client in shelf.clients.values())
    assert plan("present") == []


@pytest.mark.parametrize("open_by", ["enabled", "directAccessGrantsEnabled"])
def test_a_client_that_nobody_uses_is_open_in_either_way(plan, shelf, open_by):
    closed = {"clientId": "admin-cli", "enabled": False, "directAccessGrantsEnabled": False}
    shelf.create("clients", body=closed | {open_by: True})
    assert len(plan("present")) == 1


def test_a_client_is_asked_for_with_all_that_makes_a_stolen_code_useless(register):
    entry = client(register.municipality("16054"), "irat", "s")
    assert entry["attributes"]["pkce.code.challenge.method"] == "S256"
    assert entry["attributes"]["request.object.signature.alg"] == "RS256", "no client has a key to sign one"
    assert entry["standardFlowEnabled"] and not entry["publicClient"]
    for way in ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled"):
        assert not entry[way]


def test_nobody_makes_themselves_a_clerk_or_another_one(register):
    settings = realm.settings(register)
    for freedom in ("registrationAllowed", "resetPasswordAllowed", "rememberMe", "editUsernameAllowed"):
        assert settings[freedom] is False
    assert settings["loginWithEmailAllowed"] is False
    assert settings["passwordPolicy"].startswith("length(12) and notUsername and notContainsUsername")
    assert settings["failureFactor"] <= 5


def test_only_the_holder_of_a_certificate_can_make_a_clerk_wait_and_never_for_good(register):
    settings = realm.settings(register)
    assert settings["bruteForceProtected"] and not settings["permanentLockout"]
    assert settings["quickLoginCheckMilliSeconds"] == 0, "two posts within a second locked a clerk for a minute"
    assert settings["maxFailureWaitSeconds"] <= 900


def test_the_log_of_the_service_repeats_no_user_name(register):
    assert realm.settings(register)["eventsListeners"] == []

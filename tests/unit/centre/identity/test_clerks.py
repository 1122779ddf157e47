"""What the identity role plans, against a Keycloak made of dictionaries: the true one is in tests/live/roles."""

import itertools
import json

import pytest

from centre.identity.clerks import IdentityPlanner, client, roles_of
from centre.identity.clients import SCOPE_KINDS
from centre.reach.runtime import RuntimeFault
from inventory import paths
from inventory.register import load
from inventory.vault import vault
from stacks.configs import realm

SCOPES = {path: kind for kind, path in SCOPE_KINDS.items()}
KNOWN_SCOPES = ["acr", "basic", "email", "organization", "phone", "profile"]


class Shelf:
    """As much of the administration API as the planner uses."""

    def __init__(self, settings):
        self.realm, self.ids = dict(settings), itertools.count(1)
        self.organizations, self.clients, self.users = {}, {}, {}
        self.roles, self.members, self.mappings = {}, {}, {}

    def get(self, *parts, **query):
        match parts:
            case ():
                return self.realm
            case ("organizations",):
                return [o for o in self.organizations.values() if o["name"] == query["search"]]
            case ("organizations", "members", user, "organizations"):
                return [self.organizations[o] for o, members in self.members.items() if user in members]
            case ("organizations", organization, "members"):
                return [self.users[user] for user in sorted(self.members[organization])]
            case ("clients",):
                return [c for c in self.clients.values() if c["clientId"] == query["clientId"]]
            case ("clients", identifier, "roles"):
                return [{"name": name} for name in sorted(self.roles[identifier])]
            case ("client-scopes",):
                return [{"name": name, "id": f"scope {name}"} for name in KNOWN_SCOPES]
            case ("users",):
                return [u for u in self.users.values() if u["username"] == query["username"]]
            case ("users", user, "role-mappings", "clients", identifier):
                return [{"name": name} for name in sorted(self.mappings.get((user, identifier), set()))]
        raise AssertionError(f"unexpected read: {parts}")

    def create(self, *parts, body):
        identifier = f"id-{next(self.ids)}"
        match parts:
            case ("organizations",):
                self.organizations[identifier], self.members[identifier] = body | {"id": identifier}, set()
            case ("organizations", organization, "members"):
                self.members[organization].add(body)
            case ("partialImport",):
                assert body["ifResourceExists"] == "FAIL"
                (made,) = body["clients"]
                mappers = [mapper | {"id": "m"} for mapper in made["protocolMappers"]]
                self.clients[identifier] = made | {"id": identifier, "protocolMappers": mappers}
                self.roles[identifier] = {role["name"] for role in body["roles"]["client"][made["clientId"]]}
            case ("clients",):
                mappers = [mapper | {"id": "m"} for mapper in body.get("protocolMappers", [])]
                self.clients[identifier] = body | {"id": identifier, "protocolMappers": mappers}
                self.roles[identifier] = set()
            case ("clients", owner, "roles"):
                self.roles[owner].add(body["name"])
            case ("users",):
                self.users[identifier] = body | {"id": identifier}
            case ("users", user, "role-mappings", "clients", owner):
                self.mappings.setdefault((user, owner), set()).update(role["name"] for role in body)
            case _:
                raise AssertionError(f"unexpected creation: {parts}")
        return identifier

    def replace(self, *parts, body):
        match parts:
            case ():
                self.realm = body
            case ("clients", owner, kind, scope):
                self.clients[owner][SCOPES[kind]].append(scope.removeprefix("scope "))
            case (kind, identifier):
                getattr(self, kind)[identifier] = body
            case _:
                raise AssertionError(f"unexpected change: {parts}")

    def remove(self, *parts, body=None):
        match parts:
            case ("organizations", organization, "members", user):
                self.members[organization].discard(user)
            case ("organizations", organization):
                del self.organizations[organization], self.members[organization]
            case ("clients", owner, "default-client-scopes" | "optional-client-scopes" as kind, scope):
                held = self.clients[owner][SCOPES[kind]]
                held[:] = [name for name in held if f"scope {name}" != scope]
            case ("clients", owner, "roles", role):
                self.roles[owner].discard(role)
            case ("users", user, "role-mappings", "clients", owner):
                self.mappings[user, owner] -= {role["name"] for role in body}
            case ("users", user):
                del self.users[user]
                for members in self.members.values():
                    members.discard(user)
            case ("clients", owner):
                del self.clients[owner]
            case _:
                raise AssertionError(f"unexpected removal: {parts}")


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
    return Shelf(realm.settings(register))


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


def test_roles_are_put_right(plan, shelf):
    plan("present", "16054")
    owner = next(iter(shelf.clients))
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
    owner = next(iter(shelf.clients.values()))
    owner["attributes"]["realm_client"] = "false"
    owner["protocolMappers"][0]["consentRequired"] = False
    owner["notBefore"] = 0
    owner["defaultClientScopes"].reverse()
    assert plan("present", "16054") == []


def test_scopes_are_put_right(plan, shelf):
    plan("present", "16054")
    owner = next(iter(shelf.clients.values()))
    owner["defaultClientScopes"], owner["optionalClientScopes"] = ["basic", "phone", "organization"], ["email"]
    lines = plan("present", "16054")
    assert [line.partition(":")[0] for line in lines] == [
        "defaultClientScopes of client t16054", "optionalClientScopes of client t16054"]  # fmt: skip
    assert set(owner["defaultClientScopes"]) == {"basic", "acr", "profile", "email"}
    assert owner["optionalClientScopes"] == ["organization"]
    assert plan("present", "16054") == []


def test_the_secret_is_put_right_and_not_told(plan, shelf, secrets, register):
    plan("present", "16054")
    owner = next(iter(shelf.clients.values()))
    owner["secret"] = "changed by hand"
    lines = plan("present", "16054")
    assert lines == ["client t16054: differs in secret → as the register says"]
    assert next(iter(shelf.clients.values()))["secret"] == secrets.oidc_secret(register.municipality("16054"))


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


def test_roles_of_systems_that_a_municipality_lacks_are_not_given(register):
    office = register.office_of(register.municipality("16054"))
    clerk = office.clerks[0]
    without = register.municipality("16054").model_copy(update={"systems": ["keret"]})
    assert roles_of(clerk, without) == {"keret.felhasznalo"}


def test_a_client_trusts_its_own_origin_only(register):
    municipality = register.municipality("16054")
    entry = client(municipality, "s")
    assert entry["redirectUris"] == [f"{municipality.origin}/*"]
    assert entry["attributes"]["post.logout.redirect.uris"] == f"{municipality.origin}/*"
    mapper = entry["protocolMappers"][0]["config"]
    assert (mapper["claim.name"], mapper["id.token.claim"]) == ("resource_access.t16054.roles", "true")


def test_the_realm_signs_in_by_certificate_before_it_asks_for_a_password(register):
    made = json.loads(realm.render(register))
    flow = next(flow for flow in made["authenticationFlows"] if flow["alias"] == made["browserFlow"])
    steps = [step.get("authenticator") or step["flowAlias"] for step in flow["authenticationExecutions"]]
    assert steps == ["auth-cookie", "auth-x509-client-username-form", "asp forms"]
    config = made["authenticatorConfig"][0]["config"]
    assert config["x509-cert-auth.revalidate-certificate-enabled"] == "true"
    assert made["sslRequired"] == "all"
    assert made["ssoSessionIdleTimeout"] == register.environment.identity.session_idle_minutes * 60

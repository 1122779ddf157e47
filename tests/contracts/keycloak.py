"""What the planners of centre/identity may rely on of Keycloak's administration API, real or made of dictionaries.

`api` is an administrator in a realm of its own that was made from the clerks' import file and holds nobody.
"""

from __future__ import annotations

from typing import Any

import pytest

from centre.reach.runtime import RuntimeFault
from stacks.configs import sign_in_flow

FLOWS = ("authentication", "flows")
KINDS = ("default-client-scopes", "optional-client-scopes")


def user(api: Any, name: str = "proba.egy") -> str:
    return api.create("users", body={"username": name, "email": f"{name}@asp.invalid", "enabled": True})


def organization(api: Any, name: str = "Próbafalva", alias: str = "t99999") -> str:
    return api.create("organizations", body={"name": name, "alias": alias, "enabled": True})


def client(name: str = "t99999-irat", **fields: Any) -> dict[str, Any]:
    return {"clientId": name, "enabled": True, "protocol": "openid-connect", "redirectUris": [], **fields}


def mapper(name: str) -> dict[str, Any]:
    config = {"usermodel.clientRoleMapping.clientId": "t99999", "claim.name": name, "jsonType.label": "String"}
    kind = "oidc-usermodel-client-role-mapper"
    return {"name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config}


def import_clients(api: Any, *clients: dict[str, Any], roles: dict[str, list[str]] | None = None) -> str:
    """Clients with their roles in one request; the id of the first."""
    representations = {owner: [{"name": role} for role in names] for owner, names in (roles or {}).items()}
    body = {"ifResourceExists": "FAIL", "clients": list(clients), "roles": {"client": representations}}
    api.create("partialImport", body=body)
    return only(api.get("clients", clientId=clients[0]["clientId"]))["id"]


def only(items: list[dict[str, Any]]) -> dict[str, Any]:
    [item] = items
    return item


def names(items: list[dict[str, Any]], field: str = "name") -> set[str]:
    return {item[field] for item in items}


class KeycloakContract:
    # -- organizations

    def test_an_organization_is_looked_up_by_its_whole_name(self, api):
        identifier = organization(api)
        entry = only(api.get("organizations", search="Próbafalva", exact=True))
        assert (entry["id"], entry["alias"], entry["enabled"]) == (identifier, "t99999", True)
        assert api.get("organizations", search="Próba", exact=True) == []

    def test_an_organization_is_disabled_and_enabled_by_its_record(self, api):
        identifier = organization(api)
        entry = only(api.get("organizations", search="Próbafalva", exact=True))
        api.replace("organizations", identifier, body={**entry, "enabled": False})
        assert not only(api.get("organizations", search="Próbafalva", exact=True))["enabled"]

    @pytest.mark.parametrize("clash", [("Próbafalva", "t88888"), ("Máslak", "t99999")])
    def test_two_organizations_share_no_name_and_no_alias(self, api, clash):
        organization(api)
        with pytest.raises(RuntimeFault, match="409"):
            organization(api, *clash)

    def test_a_member_belongs_to_each_organization_that_took_it(self, api):
        here, there, clerk = organization(api), organization(api, "Máslak", "t88888"), user(api)
        for place in (here, there):
            api.create("organizations", place, "members", body=clerk)
        assert names(api.get("organizations", here, "members", max=100), "username") == {"proba.egy"}
        assert names(api.get("organizations", "members", clerk, "organizations"), "alias") == {"t99999", "t88888"}
        api.remove("organizations", here, "members", clerk)
        assert api.get("organizations", here, "members", max=100) == []
        assert names(api.get("organizations", "members", clerk, "organizations"), "alias") == {"t88888"}

    def test_a_removed_organization_leaves_its_members(self, api):
        place, clerk = organization(api), user(api)
        api.create("organizations", place, "members", body=clerk)
        api.remove("organizations", place)
        assert api.get("organizations", search="Próbafalva", exact=True) == []
        assert only(api.get("users", username="proba.egy", exact=True))["id"] == clerk
        assert api.get("organizations", "members", clerk, "organizations") == []

    # -- users

    def test_a_user_is_looked_up_by_the_whole_name(self, api):
        identifier = user(api)
        entry = only(api.get("users", username="proba.egy", exact=True))
        assert (entry["id"], entry["enabled"], entry["email"]) == (identifier, True, "proba.egy@asp.invalid")
        assert api.get("users", username="proba", exact=True) == []

    def test_a_user_is_changed_by_its_record(self, api):
        identifier = user(api)
        entry = only(api.get("users", username="proba.egy", exact=True))
        api.replace("users", identifier, body={**entry, "lastName": "Próba", "enabled": False})
        entry = only(api.get("users", username="proba.egy", exact=True))
        assert (entry["lastName"], entry["enabled"]) == ("Próba", False)

    def test_a_password_is_not_shown(self, api):
        secret = {"type": "password", "value": "Próbafalva-16054", "temporary": False}
        api.create("users", body={"username": "proba.egy", "enabled": True, "credentials": [secret]})
        assert not only(api.get("users", username="proba.egy", exact=True)).get("credentials")

    def test_two_users_share_no_name(self, api):
        user(api)
        with pytest.raises(RuntimeFault, match="409"):
            user(api)

    def test_a_removed_user_belongs_nowhere(self, api):
        place, clerk = organization(api), user(api)
        api.create("organizations", place, "members", body=clerk)
        api.remove("users", clerk)
        assert api.get("users", username="proba.egy", exact=True) == []
        assert api.get("organizations", place, "members", max=100) == []

    @pytest.mark.parametrize("kind", ["users", "organizations", "clients"])
    def test_removing_what_is_gone_is_nothing(self, api, kind):
        make = {"users": user, "organizations": organization, "clients": lambda api: import_clients(api, client())}
        identifier = make[kind](api)
        api.remove(kind, identifier)
        api.remove(kind, identifier)

    # -- clients and their roles

    def test_a_client_is_looked_up_by_its_whole_name_or_searched_by_its_beginning(self, api):
        import_clients(api, client(), client("t99999-ado"), client("t99999"))
        assert names(api.get("clients", clientId="t99999"), "clientId") == {"t99999"}
        systems = api.get("clients", clientId="t99999-", search=True, max=100)
        assert names(systems, "clientId") == {"t99999-irat", "t99999-ado"}

    def test_a_client_without_scopes_has_the_realms(self, api):
        import_clients(api, client())
        assert "profile" in only(api.get("clients", clientId="t99999-irat"))["defaultClientScopes"]

    def test_an_import_that_meets_a_client_changes_nothing(self, api):
        import_clients(api, client())
        with pytest.raises(RuntimeFault, match="409"):
            import_clients(api, client("t99999-ado"), client())
        assert api.get("clients", clientId="t99999-ado") == []

    def test_two_clients_share_no_name(self, api):
        api.create("clients", body=client())
        with pytest.raises(RuntimeFault, match="409"):
            api.create("clients", body=client())

    def test_roles_come_with_the_import(self, api):
        holder = import_clients(api, client("t99999"), roles={"t99999": ["irat.iktato", "irat.olvaso"]})
        assert names(api.get("clients", holder, "roles", max=100)) == {"irat.iktato", "irat.olvaso"}

    def test_a_role_is_added_once_and_removed(self, api):
        holder = import_clients(api, client("t99999"))
        api.create("clients", holder, "roles", body={"name": "irat.iktato"})
        with pytest.raises(RuntimeFault, match="409"):
            api.create("clients", holder, "roles", body={"name": "irat.iktato"})
        assert names(api.get("clients", holder, "roles", max=100)) == {"irat.iktato"}
        api.remove("clients", holder, "roles", "irat.iktato")
        api.remove("clients", holder, "roles", "irat.iktato")
        assert api.get("clients", holder, "roles", max=100) == []

    def test_roles_are_given_and_taken(self, api):
        holder, clerk = import_clients(api, client("t99999"), roles={"t99999": ["a.b", "a.c"]}), user(api)
        path = ("users", clerk, "role-mappings", "clients", holder)
        roles = {role["name"]: role for role in api.get("clients", holder, "roles", max=100)}
        assert api.get(*path) == []
        api.create(*path, body=list(roles.values()))
        assert names(api.get(*path)) == {"a.b", "a.c"}
        api.remove(*path, body=[roles["a.b"]])
        assert names(api.get(*path)) == {"a.c"}

    def test_a_removed_role_is_nobodys(self, api):
        holder, clerk = import_clients(api, client("t99999"), roles={"t99999": ["a.b"]}), user(api)
        path = ("users", clerk, "role-mappings", "clients", holder)
        api.create(*path, body=api.get("clients", holder, "roles", max=100))
        api.remove("clients", holder, "roles", "a.b")
        assert api.get(*path) == []

    def test_each_mapper_has_an_id_of_its_own(self, api):
        import_clients(api, client(protocolMappers=[mapper("one"), mapper("two")]))
        mappers = only(api.get("clients", clientId="t99999-irat"))["protocolMappers"]
        assert names(mappers) == {"one", "two"} and len(names(mappers, "id")) == 2

    def test_a_changed_client_has_the_mappers_that_were_sent(self, api):
        identifier = import_clients(api, client(protocolMappers=[mapper("one"), mapper("two")]))
        entry = only(api.get("clients", clientId="t99999-irat"))
        remaining = next(item for item in entry["protocolMappers"] if item["name"] == "one")
        body = {**entry, "name": "Próbafalva", "protocolMappers": [remaining, mapper("three")]}
        api.replace("clients", identifier, body=body)
        entry = only(api.get("clients", clientId="t99999-irat"))
        assert entry["name"] == "Próbafalva" and names(entry["protocolMappers"]) == {"one", "three"}
        assert all(item["id"] for item in entry["protocolMappers"])

    # -- scopes

    def test_a_changed_client_keeps_its_scopes(self, api):
        scopes = {"defaultClientScopes": ["basic", "email"], "optionalClientScopes": ["organization"]}
        identifier = import_clients(api, client(**scopes))
        entry = only(api.get("clients", clientId="t99999-irat"))
        body = {**entry, "defaultClientScopes": ["basic"], "optionalClientScopes": []}
        api.replace("clients", identifier, body=body)
        entry = only(api.get("clients", clientId="t99999-irat"))
        assert {kind: sorted(entry[kind]) for kind in scopes} == {
            kind: sorted(values) for kind, values in scopes.items()
        }

    def scopes(self, api: Any) -> tuple[list[str], list[str]]:
        entry = only(api.get("clients", clientId="t99999-irat"))
        return sorted(entry["defaultClientScopes"]), sorted(entry["optionalClientScopes"])

    def test_a_scope_is_added_and_removed(self, api):
        identifier = import_clients(api, client(defaultClientScopes=["basic"], optionalClientScopes=[]))
        ids = {scope["name"]: scope["id"] for scope in api.get("client-scopes")}
        api.replace("clients", identifier, KINDS[1], ids["organization"], body=None)
        assert self.scopes(api) == (["basic"], ["organization"])
        api.remove("clients", identifier, KINDS[1], ids["organization"])
        assert self.scopes(api) == (["basic"], [])

    def test_a_scope_of_the_other_kind_is_not_added(self, api):
        identifier = import_clients(api, client(defaultClientScopes=["basic"], optionalClientScopes=["organization"]))
        ids = {scope["name"]: scope["id"] for scope in api.get("client-scopes")}
        api.replace("clients", identifier, KINDS[0], ids["organization"], body=None)
        assert self.scopes(api) == (["basic"], ["organization"])

    def test_a_scope_is_removed_from_whichever_kind_it_is(self, api):
        identifier = import_clients(api, client(defaultClientScopes=["basic"], optionalClientScopes=["organization"]))
        ids = {scope["name"]: scope["id"] for scope in api.get("client-scopes")}
        api.remove("clients", identifier, KINDS[0], ids["organization"])
        assert self.scopes(api) == (["basic"], [])

    # -- the realm and its flows

    def flow(self, api: Any, name: str) -> None:
        api.create(*FLOWS, body={"alias": name, "providerId": "basic-flow", "topLevel": True, "builtIn": False})

    def test_the_realm_is_changed_by_its_record(self, api):
        realm = api.get()
        api.replace(body={**realm, "displayName": "Próba"})
        assert api.get()["displayName"] == "Próba"

    def test_the_imported_flow_is_listed_step_by_step(self, api):
        realm = api.get()
        assert realm["browserFlow"] in names(api.get(*FLOWS), "alias")
        steps = api.get(*FLOWS, realm["browserFlow"], "executions")
        assert steps[0]["level"] == 0 and all(step["requirement"] for step in steps)
        groups = [step for step in steps if step.get("authenticationFlow")]
        assert groups and all(step["flowId"] for step in groups)
        assert all(step["providerId"] for step in steps if not step.get("authenticationFlow"))

    def test_a_new_step_is_disabled_until_it_is_required(self, api):
        self.flow(api, "proba")
        body = {"alias": "proba group", "type": "basic-flow"}
        group = api.create(*FLOWS, "proba", "executions", "flow", body=body)
        body = {"provider": "auth-cookie"}
        step = api.create(*FLOWS, "proba group", "executions", "execution", body=body)
        steps = api.get(*FLOWS, "proba", "executions")
        assert [(item["level"], item["requirement"]) for item in steps] == [(0, "DISABLED"), (1, "DISABLED")]
        assert (steps[0]["flowId"], steps[1]["id"]) == (group, step)
        api.replace(*FLOWS, "proba", "executions", body={**steps[1], "requirement": "ALTERNATIVE"})
        assert [item["requirement"] for item in api.get(*FLOWS, "proba", "executions")] == ["DISABLED", "ALTERNATIVE"]

    def test_a_step_has_the_settings_that_it_was_given(self, api):
        self.flow(api, "proba")
        step = api.create(
            *FLOWS, "proba", "executions", "execution", body={"provider": "auth-x509-client-username-form"}
        )
        # Settings that the authenticator knows: Keycloak takes any other for a secret and shows stars.
        settings = {"x509-cert-auth.mapper-selection": "Custom Attribute Mapper"}
        body = {"alias": "proba 1", "config": settings}
        api.create("authentication", "executions", step, "config", body=body)
        item = only(api.get(*FLOWS, "proba", "executions"))
        assert api.get("authentication", "config", item["authenticationConfig"])["config"] == settings

    def test_a_flow_in_use_is_not_removed(self, api):
        current = api.get()["browserFlow"]
        flow = next(item for item in api.get(*FLOWS) if item["alias"] == current)
        assert not flow["builtIn"] and current in sign_in_flow.BROWSER_FLOWS
        with pytest.raises(RuntimeFault):
            api.remove(*FLOWS, flow["id"])
        assert current in names(api.get(*FLOWS), "alias")

    def test_a_flow_goes_with_its_groups(self, api):
        self.flow(api, "proba")
        api.create(*FLOWS, "proba", "executions", "flow", body={"alias": "proba group", "type": "basic-flow"})
        flow = next(item for item in api.get(*FLOWS) if item["alias"] == "proba")
        api.remove(*FLOWS, flow["id"])
        assert "proba" not in names(api.get(*FLOWS), "alias")
        api.create(
            *FLOWS, body={"alias": "proba group", "providerId": "basic-flow", "topLevel": True, "builtIn": False}
        )
        assert api.get(*FLOWS, "proba group", "executions") == []

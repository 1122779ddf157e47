"""A Keycloak made of dictionaries: as much of the administration API as the planners use.

tests/contracts compares it with a true one. The clients that Keycloak brings itself are left out.
"""

from __future__ import annotations

import copy
import itertools
import json

from centre.identity.clients import SCOPE_KINDS
from centre.reach.runtime import RuntimeFault

SCOPES = {path: kind for kind, path in SCOPE_KINDS.items()}
KNOWN_SCOPES = ["acr", "basic", "email", "organization", "phone", "profile"]
GIVEN_SCOPES = {"defaultClientScopes": ["acr", "basic", "email", "profile"], "optionalClientScopes": ["phone"]}


class Shelf:
    """One realm, from its import file."""

    def __init__(self, import_file):
        self.realm, self.ids = json.loads(import_file), itertools.count(1)
        configs = {entry["alias"]: entry["config"] for entry in self.realm.pop("authenticatorConfig")}
        self.flows, self.configs = {}, {}
        for flow in self.realm.pop("authenticationFlows"):
            steps = [self._imported(step, configs) for step in flow["authenticationExecutions"]]
            self.flows[flow["alias"]] = {**flow, "id": f"flow {flow['alias']}", "steps": steps}
        self.organizations, self.clients, self.users = {}, {}, {}
        self.roles, self.members, self.mappings = {}, {}, {}

    def _imported(self, step, configs):
        entry = {"id": f"id-{next(self.ids)}", "requirement": step["requirement"]}
        entry |= {"group": step["flowAlias"]} if step["authenticatorFlow"] else {"providerId": step["authenticator"]}
        if "authenticatorConfig" in step:
            entry["authenticationConfig"] = step["authenticatorConfig"]
            self.configs[step["authenticatorConfig"]] = configs[step["authenticatorConfig"]]
        return entry

    def _executions(self, name, level=0):
        for step in self.flows[name]["steps"]:
            nested = {"authenticationFlow": True, "flowId": f"flow {step['group']}"} if "group" in step else {}
            yield {**step, **nested, "level": level}
            if "group" in step:
                yield from self._executions(step["group"], level + 1)

    def get(self, *parts, **query):
        """A copy: what is read does not change when it is changed."""
        return copy.deepcopy(self._read(parts, query))

    def _read(self, parts, query):
        match parts:
            case ("authentication", "flows"):
                return [flow for flow in self.flows.values() if flow["topLevel"]]
            case ("authentication", "flows", name, "executions"):
                return list(self._executions(name))
            case ("authentication", "config", identifier):
                return {"config": self.configs[identifier]}
            case ("clients",) if query.get("search"):
                return [c for c in self.clients.values() if query["clientId"] in c["clientId"]]
            case ("clients",) if "clientId" in query:
                return [c for c in self.clients.values() if c["clientId"] == query["clientId"]]
            case ():
                return self.realm
            case ("organizations",):
                return [o for o in self.organizations.values() if o["name"] == query["search"]]
            case ("organizations", "members", user, "organizations"):
                return [self.organizations[o] for o, members in self.members.items() if user in members]
            case ("organizations", organization, "members"):
                return [self._shown(self.users[user]) for user in sorted(self.members[organization])]
            case ("clients", identifier, "roles"):
                return [{"name": name} for name in sorted(self.roles[identifier])]
            case ("client-scopes",):
                return [{"name": name, "id": f"scope {name}"} for name in KNOWN_SCOPES]
            case ("users",):
                return [self._shown(u) for u in self.users.values() if u["username"] == query["username"]]
            case ("users", user, "role-mappings", "clients", identifier):
                return [{"name": name} for name in sorted(self.mappings.get((user, identifier), set()))]
        raise AssertionError(f"unexpected read: {parts}")

    def _shown(self, user):
        """A user as it is told: what it signs in with is not."""
        return {key: value for key, value in user.items() if key != "credentials"}

    def _refuse_second(self, items, body, *fields):
        """Two of a kind with one name are refused."""
        for field in fields:
            if any(item[field] == body[field] for item in items.values()):
                raise RuntimeFault(f"request: POST answered 409: {field} {body[field]} exists")

    def _add_client(self, identifier, body):
        self._refuse_second(self.clients, body, "clientId")
        mappers = self._with_ids(body.get("protocolMappers", []))
        self.clients[identifier] = GIVEN_SCOPES | body | {"id": identifier, "protocolMappers": mappers}
        self.clients[identifier] |= {kind: list(self.clients[identifier][kind]) for kind in SCOPE_KINDS}
        self.roles[identifier] = set()

    def _with_ids(self, mappers):
        return [{"id": f"id-{next(self.ids)}"} | mapper for mapper in mappers]

    def create(self, *parts, body):
        identifier = f"id-{next(self.ids)}"
        match parts:
            case ("organizations",):
                self._refuse_second(self.organizations, body, "name", "alias")
                self.organizations[identifier], self.members[identifier] = body | {"id": identifier}, set()
            case ("organizations", organization, "members"):
                self.members[organization].add(body)
            case ("authentication", "flows"):
                self.flows[body["alias"]] = {**body, "id": f"flow {body['alias']}", "steps": []}
            case ("authentication", "flows", parent, "executions", "flow"):
                step = {"id": identifier, "group": body["alias"], "requirement": "DISABLED"}
                self.flows[parent]["steps"].append(step)
                group = {"id": f"flow {body['alias']}", "topLevel": False, "builtIn": False, "steps": []}
                self.flows[body["alias"]] = {"alias": body["alias"], **group}
                return group["id"]
            case ("authentication", "flows", parent, "executions", "execution"):
                step = {"id": identifier, "providerId": body["provider"], "requirement": "DISABLED"}
                self.flows[parent]["steps"].append(step)
            case ("authentication", "executions", execution, "config"):
                steps = (step for flow in self.flows.values() for step in flow["steps"])
                next(step for step in steps if step["id"] == execution)["authenticationConfig"] = identifier
                self.configs[identifier] = body["config"]
            case ("partialImport",):
                assert body["ifResourceExists"] == "FAIL"
                for entry in body["clients"]:
                    self._refuse_second(self.clients, entry, "clientId")
                for entry in body["clients"]:
                    own = f"id-{next(self.ids)}"
                    self._add_client(own, entry)
                    self.roles[own] = {role["name"] for role in body["roles"]["client"].get(entry["clientId"], [])}
            case ("clients",):
                self._add_client(identifier, body)
            case ("clients", owner, "roles"):
                if body["name"] in self.roles[owner]:
                    raise RuntimeFault(f"request: POST answered 409: role {body['name']} exists")
                self.roles[owner].add(body["name"])
            case ("users",):
                self._refuse_second(self.users, body, "username")
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
            case ("authentication", "flows", _, "executions"):
                steps = (step for flow in self.flows.values() for step in flow["steps"])
                next(step for step in steps if step["id"] == body["id"])["requirement"] = body["requirement"]
            case ("clients", owner, kind, scope):
                name, client = scope.removeprefix("scope "), self.clients[owner]
                # Not added beside the other kind's either.
                if not any(name in client[kind] for kind in SCOPE_KINDS):
                    client[SCOPES[kind]].append(name)
            case ("clients", identifier):
                scopes = {kind: self.clients[identifier][kind] for kind in SCOPE_KINDS}  # each takes its own request
                mappers = self._with_ids(body.get("protocolMappers", []))
                self.clients[identifier].update(body | scopes | {"protocolMappers": mappers})
            case ("users", identifier):
                self.users[identifier].update(body)
            case ("organizations", identifier):
                self.organizations[identifier] = body
            case _:
                raise AssertionError(f"unexpected change: {parts}")

    def remove(self, *parts, body=None):
        match parts:
            case ("authentication", "flows", identifier):
                name = next(flow["alias"] for flow in self.flows.values() if flow["id"] == identifier)
                if name in (self.realm["browserFlow"], self.realm["directGrantFlow"]):
                    raise RuntimeFault(f"request: DELETE answered 400: flow {name} is in use")
                self.flows = {key: flow for key, flow in self.flows.items() if not key.startswith(f"{name} ")}
                del self.flows[name]
            case ("organizations", organization, "members", user):
                self.members[organization].discard(user)
            case ("organizations", organization):
                self.organizations.pop(organization, None)
                self.members.pop(organization, None)
            case ("clients", owner, "default-client-scopes" | "optional-client-scopes", scope):
                for kind in SCOPE_KINDS:  # whichever it is among
                    scopes = self.clients[owner][kind]
                    scopes[:] = [name for name in scopes if f"scope {name}" != scope]
            case ("clients", owner, "roles", role):
                self.roles[owner].discard(role)
                for (_, holder), roles in self.mappings.items():
                    if holder == owner:
                        roles.discard(role)
            case ("users", user, "role-mappings", "clients", owner):
                self.mappings[user, owner] -= {role["name"] for role in body}
            case ("users", user):
                self.users.pop(user, None)
                for members in self.members.values():
                    members.discard(user)
            case ("clients", owner):
                self.clients.pop(owner, None)
                self.roles.pop(owner, None)
            case _:
                raise AssertionError(f"unexpected removal: {parts}")

    def client(self, name):
        """The client of an id that people know."""
        return next(client for client in self.clients.values() if client["clientId"] == name)

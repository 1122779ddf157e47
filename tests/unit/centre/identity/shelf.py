"""A Keycloak made of dictionaries: as much of the administration API as the planners use."""

from __future__ import annotations

import itertools
import json

from centre.identity.clients import SCOPE_KINDS

SCOPES = {path: kind for kind, path in SCOPE_KINDS.items()}
KNOWN_SCOPES = ["acr", "basic", "email", "organization", "phone", "profile"]


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
            shown = {"authenticationFlow": True, "flowId": f"flow {step['group']}"} if "group" in step else {}
            yield {**step, **shown, "level": level}
            if "group" in step:
                yield from self._executions(step["group"], level + 1)

    def get(self, *parts, **query):
        match parts:
            case ("authentication", "flows"):
                return [flow for flow in self.flows.values() if flow["topLevel"]]
            case ("authentication", "flows", name, "executions"):
                return list(self._executions(name))
            case ("authentication", "config", identifier):
                return {"config": self.configs[identifier]}
            case ("clients",) if query.get("search"):
                return [c for c in self.clients.values() if query["clientId"] in c["clientId"]]
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
                    own = f"id-{next(self.ids)}"
                    mappers = [mapper | {"id": "m"} for mapper in entry["protocolMappers"]]
                    self.clients[own] = entry | {"id": own, "protocolMappers": mappers}
                    self.roles[own] = {role["name"] for role in body["roles"]["client"].get(entry["clientId"], [])}
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
            case ("authentication", "flows", _, "executions"):
                steps = (step for flow in self.flows.values() for step in flow["steps"])
                next(step for step in steps if step["id"] == body["id"])["requirement"] = body["requirement"]
            case ("clients", owner, kind, scope):
                self.clients[owner][SCOPES[kind]].append(scope.removeprefix("scope "))
            case (kind, identifier):
                getattr(self, kind)[identifier] = body
            case _:
                raise AssertionError(f"unexpected change: {parts}")

    def remove(self, *parts, body=None):
        match parts:
            case ("authentication", "flows", identifier):
                name = next(flow["alias"] for flow in self.flows.values() if flow["id"] == identifier)
                assert name not in (self.realm["browserFlow"], self.realm["directGrantFlow"]), f"{name} is in use"
                self.flows = {key: flow for key, flow in self.flows.items() if not key.startswith(f"{name} ")}
                del self.flows[name]
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

    def client(self, name):
        """The client of an id that people know."""
        return next(client for client in self.clients.values() if client["clientId"] == name)

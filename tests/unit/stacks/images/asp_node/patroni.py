"""Patroni 4.0.7 of each node of a cell, in memory; tests/live/stacks/test_patroni_api.py is the other side."""

from __future__ import annotations


class Patroni:
    """`roles`: of each node; `wanted`: connections that the cluster is set to, `running`: that each node has, `wal`:
    that the leader had last. `states`: of nodes that do not serve.
    """

    def __init__(self, roles):
        self.roles, self.states = dict(roles), {}
        self.config = {"ttl": 30, "postgresql": {"parameters": {"max_connections": 100}}}
        self.wal = 100
        self.running = dict.fromkeys(roles, 100)
        self.started = dict.fromkeys(roles, 1)

    @property
    def wanted(self):
        return self.config["postgresql"]["parameters"]["max_connections"]

    @wanted.setter
    def wanted(self, number):
        self.config = {**self.config, "postgresql": {"parameters": {"max_connections": number}}}

    def reason(self, name):
        if self.running[name] == self.wanted:
            return None
        return {"max_connections": {"old_value": str(self.running[name]), "new_value": str(self.wanted)}}

    def leads(self, name):
        return self.roles[name] == "leader"

    def call(self, name, method, path, body=None):
        match method, path:
            case "GET", "/patroni":
                return 200, self._own(name)
            case "GET", "/primary":
                return (200 if self.leads(name) else 503), self._own(name)
            case "GET", "/cluster":
                return 200, {"members": [self._listed(each) for each in self.roles], "scope": "baz1"}
            case "GET", "/config":
                return 200, self.config
            case "PUT", "/config":
                self.config = body
                return 200, body
            case "POST", "/restart":
                assert body["restart_pending"] and body["timeout"] > 0
                return self._restart(name)
            case "POST", "/reinitialize":
                if self.leads(name):
                    return 503, "I am the leader, can not reinitialize"
                self.started[name] += 1
                return 200, "reinitialize started"
        raise AssertionError(f"nothing is known of {method} {path}")

    def _own(self, name):
        body = {"state": self.states.get(name, "running"), "role": "primary" if self.leads(name) else "replica"}
        body["postmaster_start_time"] = f"2026-11-30 08:00:{self.started[name]:02}+01:00"
        if not self.leads(name) and body["state"] == "running":
            body["replication_state"] = "streaming"
        if reason := self.reason(name):
            body |= {"pending_restart": True, "pending_restart_reason": reason}
        return body

    def _listed(self, name):
        state = self.states.get(name, "running" if self.leads(name) else "streaming")
        entry = {"name": name, "role": self.roles[name], "state": state}
        return {**entry, "pending_restart": True} if self.reason(name) else entry

    def _restart(self, name):
        if not self.reason(name):
            return 503, "restart conditions are not satisfied"
        if self.leads(name):
            self.wal = self.wanted
        self.running[name] = max(self.wanted, self.wal)
        self.started[name] += 1
        return 200, "restarted successfully"

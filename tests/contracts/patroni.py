"""What a node's keeper and the fencer may rely on of Patroni's REST interface, real or in memory.

`cell` has a leader `n1` and a standby `n2` that streams, and nobody else: `call(name, method, path, body)` → status and
decoded body, as `asp_node.patroni_api.call` gives them. `cell.config`: what the cluster is set to, 100 connections
among it, and no restart is due.
"""

from __future__ import annotations

from tests.support.polling import poll

SECONDS = 60.0
RESTART = {"restart_pending": True, "timeout": 60}


def members(cell, name="n1"):
    status, body = cell.call(name, "GET", "/cluster")
    assert status == 200
    return {member["name"]: member for member in body["members"]}


def own(cell, name):
    status, body = cell.call(name, "GET", "/patroni")
    assert status == 200, "whatever it says"
    return body


def streams(cell):
    poll(lambda: members(cell).get("n2", {}).get("state"), lambda state: state == "streaming", SECONDS, "n2 streams")


def connections(cell, number):
    """Set the cluster to so many connections; both members say then that a restart is due."""
    parameters = {**cell.config["postgresql"]["parameters"], "max_connections": number}
    config = {**cell.config, "postgresql": {**cell.config["postgresql"], "parameters": parameters}}
    assert cell.call("n1", "PUT", "/config", config)[0] == 200
    for name in ("n2", "n1"):
        poll(lambda name=name: own(cell, name), lambda body: body.get("pending_restart"), SECONDS, "a restart is due")


def none_due(cell, name):
    poll(lambda: own(cell, name), lambda body: "pending_restart" not in body, SECONDS, "no restart is due")


class PatroniContract:
    def test_a_leader_says_that_it_is_one(self, cell):
        body = own(cell, "n1")
        assert (body["state"], body["role"]) == ("running", "primary")
        assert "pending_restart" not in body and "replication_state" not in body
        assert cell.call("n1", "GET", "/primary")[0] == 200

    def test_a_standby_runs_and_streams_and_its_status_is_no_other(self, cell):
        body = own(cell, "n2")
        assert (body["state"], body["role"], body["replication_state"]) == ("running", "replica", "streaming")
        assert cell.call("n2", "GET", "/primary")[0] == 503

    def test_members_are_listed_by_any_of_them(self, cell):
        assert {n: (m["role"], m["state"]) for n, m in members(cell).items()} == {
            n: (m["role"], m["state"]) for n, m in members(cell, "n2").items()
        }
        leader, standby = members(cell)["n1"], members(cell)["n2"]
        assert (leader["role"], leader["state"]) == ("leader", "running")
        assert (standby["role"], standby["state"]) == ("quorum_standby", "streaming")
        assert "pending_restart" not in leader and "pending_restart" not in standby

    def test_settings_are_replaced_whole(self, cell):
        config = {**cell.config, "maximum_lag_on_failover": 1048577}
        assert cell.call("n1", "PUT", "/config", config) == (200, config)
        # Patroni answers from what it read last, at most a round ago.
        poll(lambda: cell.call("n1", "GET", "/config"), lambda reply: reply == (200, config), SECONDS, "it says so")
        assert cell.call("n1", "PUT", "/config", cell.config) == (200, cell.config)

    def test_a_restart_that_is_not_due_is_refused(self, cell):
        assert cell.call("n2", "POST", "/restart", RESTART) == (503, "restart conditions are not satisfied")

    def test_what_must_be_restarted_says_why_until_it_is(self, cell):
        connections(cell, 150)
        for name in ("n2", "n1"):
            body = own(cell, name)
            assert body["pending_restart"] is True
            assert body["pending_restart_reason"] == {"max_connections": {"old_value": "100", "new_value": "150"}}
            poll(
                lambda name=name: members(cell)[name].get("pending_restart"), bool, SECONDS, "the list says so as well"
            )
            assert cell.call(name, "POST", "/restart", RESTART) == (200, "restarted successfully")
            none_due(cell, name)

    def test_a_standby_starts_with_no_less_than_the_leader_has(self, cell):
        connections(cell, 90)
        assert cell.call("n2", "POST", "/restart", RESTART)[0] == 200
        # In vain. Patroni looks at its settings once a round: right after a start it may not have said so yet.
        poll(lambda: own(cell, "n2").get("pending_restart"), lambda due: due is True, SECONDS, "it is due again")
        assert cell.call("n1", "POST", "/restart", RESTART)[0] == 200
        none_due(cell, "n1")
        streams(cell)

        # It may go lower once it has replayed that the leader did; a restart before that is in vain as well.
        def settled():
            cell.call("n2", "POST", "/restart", RESTART)
            return "pending_restart" not in own(cell, "n2")

        poll(settled, bool, SECONDS, "the standby has followed", pause=1.5)

    def test_a_leader_is_not_cloned(self, cell):
        assert cell.call("n1", "POST", "/reinitialize", {"force": True}) == (
            503,
            "I am the leader, can not reinitialize",
        )

    def test_a_standby_is_cloned(self, cell):
        before = own(cell, "n2")["postmaster_start_time"]
        assert cell.call("n2", "POST", "/reinitialize", {"force": True}) == (200, "reinitialize started")
        started = "postmaster_start_time"
        after = poll(lambda: own(cell, "n2").get(started), lambda at: at not in (None, before), SECONDS, "a new start")
        assert after > before
        streams(cell)

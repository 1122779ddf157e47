"""What is planned at the edge, against an edge made of a dictionary; the true one: tests/live."""

import datetime as dt
import json

import pytest

from centre.edge.hosts import EdgePlanner
from inventory import paths
from inventory.register import load
from inventory.vault import vault

HOST = "sajoszentpeter.asp.test"


class Edge:
    """The edge's control program: tenants by host, and every change that was sent."""

    def __init__(self):
        self.tenants, self.calls = {}, []

    def check(self, service, command, question, timeout):
        question = json.loads(question)
        if command == ["asp-edge", "status"]:
            nothing = {"ksh": None, "cell": None, "certificate": None}
            return json.dumps({"tenants": {host: self.tenants.get(host, nothing) for host in question["hosts"]}})
        self.calls.append(question)
        for tenant in question.get("present", ()):
            self.hold(tenant["host"], tenant["ksh"], tenant["cell"], 90)
        for host in question.get("absent", ()):
            del self.tenants[host]
        return "{}"

    def hold(self, host, ksh, cell, days):
        end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days, hours=1)
        certificate = {"hosts": [host], "not_after": end.isoformat()}
        self.tenants[host] = {"ksh": ksh, "cell": cell, "certificate": certificate}


@pytest.fixture
def register(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    register = load("test")
    vault.ensure(register)
    return register


@pytest.fixture
def edge():
    return Edge()


def planned(register, edge, state, *codes):
    return getattr(EdgePlanner(register, edge), state)([register.municipality(ksh) for ksh in codes])


def test_planning_changes_nothing(register, edge):
    plan = planned(register, edge, "present", "16054", "14915")
    assert plan.lines[:2] == [
        f"{HOST} certificate: absent → issued by step-ca",
        f"{HOST} tenant: closed → 16054 in baz1",
    ]
    assert len(plan.lines) == 4 and edge.calls == []


def test_all_hosts_are_opened_in_one_call_with_a_token_each(register, edge):
    planned(register, edge, "present", "16054", "14915").carry_out()
    ((call,),) = [list(call.values()) for call in edge.calls]
    assert [tenant["ksh"] for tenant in call] == ["16054", "14915"]
    assert all(tenant["token"].count(".") == 2 for tenant in call)
    again = planned(register, edge, "present", "16054", "14915")
    again.carry_out()
    assert not again.changed and len(edge.calls) == 1


def test_a_certificate_near_its_end_is_issued_anew_and_no_other(register, edge):
    edge.hold(HOST, "16054", "baz1", 29)
    edge.hold("malyinka.asp.test", "14915", "baz1", 31)
    plan = planned(register, edge, "present", "16054", "14915")
    assert len(plan.steps) == 1 and plan.before[0].startswith(f"{HOST} certificate: ends ")
    plan.carry_out()
    assert [tenant["host"] for tenant in edge.calls[0]["present"]] == [HOST]


def test_a_moved_tenant_keeps_its_certificate(register, edge):
    edge.hold(HOST, "16054", "baz9", 80)
    plan = planned(register, edge, "present", "16054")
    plan.carry_out()
    assert plan.lines == [f"{HOST} tenant: 16054 in baz9 → 16054 in baz1"]
    assert edge.calls == [{"present": [{"host": HOST, "ksh": "16054", "cell": "baz1"}]}]


def test_what_leaves_is_closed_and_what_is_not_there_is_left(register, edge):
    edge.hold(HOST, "16054", "baz1", 80)
    plan = planned(register, edge, "absent", "16054", "14915")
    assert plan.after == [f"{HOST} certificate: absent", f"{HOST} tenant: closed"]
    plan.carry_out()
    assert edge.calls == [{"absent": [HOST]}] and edge.tenants == {}
    assert not planned(register, edge, "absent", "16054").changed

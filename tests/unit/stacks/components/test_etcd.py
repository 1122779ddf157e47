"""What a cell's fencer may do: at etcd one key, at the engine its own cell's nodes."""

import json
from types import SimpleNamespace

import pytest

from inventory.register import load
from stacks.components import etcd

NODES = ["asp-x-baz1-postgres-1", "asp-x-baz1-postgres-2"]


class Context:
    """As much of a stack's context as these services take."""

    own_cell = "baz1"
    secrets = SimpleNamespace(password=lambda name: f"password of {name}")
    names = SimpleNamespace(network=lambda name: SimpleNamespace(name=f"asp-x-{name}"))
    cell = SimpleNamespace(
        postgres=NODES, etcd=["asp-x-baz1-etcd-1"], data_network=SimpleNamespace(name="asp-x-baz1-data")
    )

    environment = load("dev").environment
    cell_entry = environment.cells[0]

    def volume(self, name, place):
        return SimpleNamespace(name=f"volume {name}")


def test_the_fencer_may_delete_the_leaders_key_and_change_nothing_else():
    logins = json.loads(etcd.logins_json(Context()))
    fencer, patroni = logins["users"]["fencer"], logins["users"]["patroni"]
    assert (fencer["read"], fencer["write"]) == (["/service/baz1/"], ["/service/baz1/leader"])
    assert patroni["write"] == ["/service/baz1/"] and "read" not in patroni
    assert len({logins["root"], fencer["password"], patroni["password"]}) == 3


@pytest.fixture
def services(monkeypatch):
    """Name → arguments of the services that are made."""
    arguments = {}
    monkeypatch.setattr(
        etcd,
        "SwarmService",
        lambda ctx, name, args, opts=None: arguments.update({name: args}) or SimpleNamespace(name=name),
    )
    monkeypatch.setattr(etcd.pulumi, "ResourceOptions", lambda **options: options)
    etcd.fencer(Context(), "fencer", "gate")
    return arguments


def test_the_gate_holds_the_engines_socket_and_the_fencer_only_the_gates(services):
    assert json.loads(services["gate"].files["/run/secrets/gate.json"].content) == {
        "nodes": NODES,
        "network": "asp-x-baz1-data",
    }
    assert list(services["gate"].binds) == ["/var/run/docker.sock"] and not services["fencer"].binds
    assert services["gate"].networks == ["asp-x-engine"], "on which nobody listens"
    assert services["fencer"].networks == ["asp-x-baz1-data"]
    assert services["gate"].volumes[etcd.SOCKET_FOLDER] == services["fencer"].volumes[etcd.SOCKET_FOLDER]


def test_the_fencer_watches_its_own_cell(services):
    settings = json.loads(services["fencer"].files["/run/secrets/fencer.json"].content)
    assert settings["scope"] == "/service/baz1/" and settings["nodes"] == NODES
    assert settings["password"] == "password of etcd_fencer"

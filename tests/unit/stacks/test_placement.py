"""What the stacks ask of a Swarm of three machines: for every service where, how many, and how it is updated."""

from __future__ import annotations

import json
import re

import pulumi
import pytest

from inventory import paths
from inventory.machines import MachineRole
from inventory.register import load
from inventory.vault import vault
from stacks import order
from stacks.components import context as contexts
from stacks.order import Stack
from tests.support.placement import fits
from tests.unit.inventory.register_copy import Copy
from tests.unit.stacks.test_programs import SERVICE, Daemon, networks, program

VOLUME, PROVIDER = "docker:index/volume:Volume", "pulumi:providers:docker"
DAEMONS = {name: f"unix:///run/asp/{name}.sock" for name in ("m1", "m2", "m3")}
TOLD = {"asp:daemons": json.dumps(DAEMONS)}


class Machines(Daemon):
    """Keeps of each volume by which provider it is made as well."""

    def new_resource(self, args):
        answer = super().new_resource(args)
        if args.typ == VOLUME:
            self.makers.append((args.inputs["name"], args.provider))
        return answer


def run(register, patch, config=TOLD) -> dict[str, Machines]:
    secrets, _ = vault.ensure(register)
    patch.setattr(contexts, "load", lambda env: register)
    patch.setattr(contexts.vault, "load", lambda _: secrets)
    daemons = {}
    for stack in (stack for wave in order.waves(register) for stack in wave):
        daemon = Machines(networks=networks(register))
        daemon.makers = []
        program(stack, networks(register), {**stack.config, **config}, daemon)
        daemons[f"{stack.project} {stack.name}"] = daemon
    return daemons


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The register of three machines, the plan's services by name, and who makes which volumes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "LOCAL", tmp_path_factory.mktemp("local") / ".asp")
        register = load("three")
        daemons = run(register, patch)
    services = {i["name"]: i for d in daemons.values() for kind, _, i in d.resources if kind == SERVICE}
    return register, services, [maker for daemon in daemons.values() for maker in daemon.makers], daemons


def where(register, service) -> list[str]:
    constraints = service["taskSpec"].get("placement", {}).get("constraints", [])
    return [m.id for m in register.environment.machines if fits(constraints, m.labels)]


def plan(register, service) -> tuple[str, int, str]:
    """Machines, tasks, order of an update; `|`: one on each at most."""
    placement = service["taskSpec"]["placement"]
    machines = ("|" if placement.get("maxReplicas") == 1 else " ").join(where(register, service))
    return machines, service["mode"]["replicated"]["replicas"], service["updateConfig"]["order"]


def test_every_service_says_where_it_may_run_how_many_there_are_and_how_it_is_updated(three):
    register, services, _, _ = three
    plans = {name.removeprefix("asp-three-"): plan(register, service) for name, service in services.items()}
    apps = {f"baz1-{system}" for system in register.installed_systems}
    assert {plans.pop(app) for app in apps} == {("m1|m2|m3", 2, "stop-first")}
    assert plans == {
        "identity": ("m1", 1, "start-first"),
        "identity-db": ("m1", 1, "stop-first"),
        "pki": ("m1", 1, "stop-first"),
        "baz1-etcd-1": ("m1", 1, "stop-first"),
        "baz1-etcd-2": ("m2", 1, "stop-first"),
        "baz1-etcd-3": ("m3", 1, "stop-first"),
        "baz1-postgres-1": ("m1", 1, "stop-first"),
        "baz1-postgres-2": ("m2", 1, "stop-first"),
        "baz1-postgres-3": ("m3", 1, "stop-first"),
        "baz1-fencer": ("m1", 1, "stop-first"),
        "baz1-fencer-gate": ("m1", 1, "stop-first"),
        "baz1-proxy": ("m1 m2 m3", 1, "start-first"),
        "baz1-backup": ("m3", 1, "stop-first"),
        "edge": ("m1|m2", 2, "stop-first"),
        **{f"ws-{station.name}": ("m1", 1, "stop-first") for _, station in register.workstations()},
    }


def test_tasks_of_one_service_are_spread_over_failure_domains(three):
    _, services, _, _ = three
    for name, service in services.items():
        several = service["mode"]["replicated"]["replicas"] > 1
        placement = service["taskSpec"]["placement"]
        assert placement.get("prefs") == (["node.labels.asp.domain"] if several else None), name
        assert placement["constraints"] == sorted(placement["constraints"]), "as it is read back"


def test_no_update_waits_for_a_place_that_the_task_before_has(three):
    """Swarm counts a task that is still there: with one on each machine at most, its successor never begins."""
    _, services, _, _ = three
    orders = {(s["taskSpec"]["placement"].get("maxReplicas"), s["updateConfig"]["order"]) for s in services.values()}
    assert orders == {(1, "stop-first"), (None, "stop-first"), (None, "start-first")}


def test_a_volume_is_made_on_every_machine_that_its_service_may_run_on(three):
    register, services, makers, _ = three
    by_volume = {}
    for volume, provider in makers:
        by_volume.setdefault(volume, []).append(re.fullmatch(r".*pulumi:providers:docker::(m\d)::\1-id", provider)[1])
    mounted = {}
    for service in services.values():
        for mount in service["taskSpec"]["containerSpec"].get("mounts", []):
            if mount["type"] == "volume":
                mounted.setdefault(mount["source"], set()).add(tuple(where(register, service)))
    assert {volume: [tuple(machines)] for volume, machines in by_volume.items()} == {
        k: list(v) for k, v in mounted.items()
    }
    several = [volume for volume, machines in by_volume.items() if len(machines) > 1]
    assert several == ["asp-three-edge"], "anything else has its data on one machine"
    assert len(by_volume) == 13


def test_a_machines_daemon_is_the_one_that_the_run_was_told(three):
    *_, daemons = three
    hosts = {(name, i["host"]) for d in daemons.values() for kind, name, i in d.resources if kind == PROVIDER}
    assert hosts == set(DAEMONS.items())
    for daemon in daemons.values():
        assert daemon.repeated() == []


def test_an_app_server_knows_how_many_do_its_work(three):
    register, services, _, _ = three
    variables = services[register.cell("baz1").app("irat")]["taskSpec"]["containerSpec"]["env"]
    assert variables["ASP_REPLICAS"] == "2"


@pytest.mark.parametrize("lost", ["m1", "m2", "m3"])
def test_a_lost_machine_leaves_a_task_of_every_app_server_and_of_the_edge(three, lost):
    register, services, _, _ = three
    names = register.cell("baz1")
    for name in (*(names.app(system) for system in register.installed_systems), register.names.edge):
        able = where(register, services[name])
        assert services[name]["taskSpec"]["placement"]["maxReplicas"] == 1
        assert min(services[name]["mode"]["replicated"]["replicas"], len(able)) - int(lost in able) >= 1, name


def test_a_machine_that_leaves_gets_nothing_more(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    copy = Copy(tmp_path, "three")
    file = "environments/three/environment.yaml"
    copy.edit(file, "nodes: 3 ", "nodes: 1 ")
    copy.edit(file, "machines: [m1, m2, m3]", "machines: [m1]")
    copy.edit(file, "    domain: room-2", "    leaving: true\n    domain: room-2")
    copy.edit(file, "[manager, data, apps, edge]", "[data, apps, edge]")
    copy.edit(file, "administration:", FOURTH)
    register = copy.load()
    daemons = run(register, monkeypatch, {"asp:daemons": json.dumps(DAEMONS | {"m4": "unix:///run/asp/m4.sock"})})
    services = {i["name"]: i for d in daemons.values() for kind, _, i in d.resources if kind == SERVICE}
    assert len(services) > 18
    for name, service in services.items():
        assert "m2" not in where(register, service), name
        assert where(register, service), name
    (edge,) = [service for name, service in services.items() if name == register.names.edge]
    assert (where(register, edge), edge["mode"]["replicated"]["replicas"]) == (["m1"], 1)
    assert [m.id for m in register.environment.staying(MachineRole.APPS)] == ["m1", "m3"]


FOURTH = """  - id: m4
    address: 10.199.0.44
    host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQw
    roles: [manager]
    domain: room-4
    capacity: {memory: 16384, processors: 4, disk: 200}
administration:"""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, r"machine m1 \(10\.199\.0\.11\): no daemon to make its volumes with; seen in asp:daemons: none; wanted"),
        ({"asp:daemons": '{"m2": "unix:///2"}'}, r"machine m1 .* seen in asp:daemons: m2; wanted an address for each"),
        ({"asp:daemons": "m1"}, r"asp:daemons = 'm1': cannot be used; wanted each machine's id with the address"),
        ({"asp:daemons": '["m1"]'}, r"asp:daemons = .*: cannot be used; wanted each machine's id"),
        ({"asp:daemons": '{"m1": 3}'}, r"asp:daemons = .*: cannot be used; wanted each machine's id"),
    ],
)
def test_without_a_machines_daemon_nothing_is_made(tmp_path, monkeypatch, config, message):
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")
    register = load("three")
    secrets, _ = vault.ensure(register)
    monkeypatch.setattr(contexts.vault, "load", lambda _: secrets)
    stack = Stack("pki", "three")
    with pytest.raises(pulumi.RunError, match=message):
        program(stack, networks(register), {**stack.config, **config})

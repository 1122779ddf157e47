"""Services stand on exactly the networks that the register counts their tasks on: else its count proves nothing."""

import asyncio
import runpy

import pulumi
import pytest

from inventory import paths
from inventory.register import load
from inventory.vault import vault
from stacks import order

ENV = "test"


class Recorder(pulumi.runtime.Mocks):
    """Keeps services and networks; gives every resource an id, and stack `network` the outputs that it has."""

    def __init__(self, networks):
        self.networks, self.members, self.created, self.log_drivers = networks, {}, {}, {}
        self.internal, self.ports, self.dns = {}, {}, {}

    def new_resource(self, args):
        outputs = {**args.inputs, "imageId": "sha256:0"}
        if args.typ == "pulumi:pulumi:StackReference":
            outputs["outputs"] = {"networks": {name: f"id-of-{name}" for name in self.networks}}
        if args.typ == "docker:index/network:Network":
            self.created[args.inputs["name"]] = args.inputs["ipamConfigs"]
            self.internal[args.inputs["name"]] = args.inputs["internal"]
        if args.typ == "docker:index/service:Service":
            task = args.inputs["taskSpec"]
            self.log_drivers[args.inputs["name"]] = task["logDriver"]
            self.ports[args.inputs["name"]] = args.inputs["endpointSpec"].get("ports") or []
            self.dns[args.inputs["name"]] = task["containerSpec"].get("dnsConfig")
            for network in task["networksAdvanceds"]:
                name = network["id"].removeprefix("id-of-")
                self.members.setdefault(name, set()).add(args.inputs["name"])
        return f"{args.name}-id", outputs

    def call(self, args):
        return {}


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Every stack program of an environment, run once with Pulumi's own mocks: (register, what was recorded)."""
    from stacks.components import context

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "LOCAL", tmp_path_factory.mktemp("local"))
        register = load(ENV)
        vault.ensure(register)
        recorder = Recorder([network.name.name for network in register.networks])
        # Whoever ran a loop before left none, and Pulumi's SDK asks for the main thread's when it is given mocks.
        asyncio.set_event_loop(asyncio.new_event_loop())
        for stack in (stack for wave in order.waves(register) for stack in wave):
            pulumi.runtime.set_mocks(recorder, project=stack.project, stack=stack.name)
            context.context.cache_clear()
            context._image.cache_clear()

            @pulumi.runtime.test
            def run(folder=stack.folder):
                runpy.run_path(f"{folder}/__main__.py", run_name="__main__")

            run()
        context.context.cache_clear()
        context._image.cache_clear()
    return register, recorder


def test_services_are_on_the_networks_that_the_register_counts(programs):
    register, recorder = programs
    assert recorder.members == {
        network.name.name: set(network.members) for network in register.networks if network.members
    }
    assert sum(map(len, recorder.members.values())) > 50


def test_networks_have_the_subnets_of_the_plan(programs):
    register, recorder = programs
    assert recorder.created == {
        network.name.name: [{"subnet": network.name.subnet, "gateway": network.name.gateway}]
        for network in register.networks
    }


def test_nothing_but_the_edge_and_the_stand_ins_has_a_way_out(programs):
    register, recorder = programs
    stations = {register.names.workstation(station.name) for _, station in register.workstations()}
    outward = {name for name, internal in recorder.internal.items() if not internal}
    with_a_way_out = {service for name in outward for service in recorder.members[name]}
    assert with_a_way_out == {register.names.edge, *stations}
    assert with_a_way_out == {name for name, ports in recorder.ports.items() if ports}, "a port needs a way in"


def test_who_has_no_way_out_asks_no_name_server_of_the_machine(programs):
    register, recorder = programs
    inside = [name for name in recorder.dns if not recorder.ports[name]]
    assert len(inside) >= 18
    for name in inside:
        assert recorder.dns[name] == {"nameservers": ["127.0.0.1"], "options": ["timeout:1", "attempts:1"]}, name


def test_every_services_log_ends_somewhere(programs):
    register, recorder = programs
    assert len(recorder.log_drivers) >= 20
    for name, driver in recorder.log_drivers.items():
        assert driver == {"name": "local", "options": {"max-file": "5", "max-size": "20m"}}, name

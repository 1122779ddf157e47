"""Every stack's program runs under Pulumi's own mocks: one node and three, and the register of the whole country."""

from __future__ import annotations

import asyncio
import runpy
from collections import Counter
from dataclasses import dataclass, field

import pulumi
import pytest

from inventory import paths
from inventory.register import Register, load
from inventory.vault import vault
from stacks import order
from stacks.components import context as contexts
from stacks.order import Stack
from tests.support.long import of_family
from tests.unit.inventory.register_copy import Copy

SERVICE, NETWORK = "docker:index/service:Service", "docker:index/network:Network"
NAMED = (SERVICE, NETWORK, "docker:index/volume:Volume", "docker:index/secret:Secret",
         "docker:index/serviceConfig:ServiceConfig")  # fmt: skip


@dataclass
class Daemon(pulumi.runtime.Mocks):
    """Keeps what programs register; every network of every stack exists."""

    resources: list[tuple[str, str, dict]] = field(default_factory=list)
    networks: dict[str, str] = field(default_factory=dict)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs):
        if args.typ == "pulumi:pulumi:StackReference":
            return args.name, {"outputs": {"networks": self.networks}}
        self.resources.append((args.typ, args.name, args.inputs))
        return f"{args.name}-id", {**args.inputs, "imageId": "sha256:0"}

    def call(self, args: pulumi.runtime.MockCallArgs):
        return {}

    def count(self, kind: str) -> int:
        return sum(typ == kind for typ, _, _ in self.resources)

    def repeated(self) -> list[str]:
        """Logical names that a stack uses twice for one type."""
        return [f"{typ} {name}" for (typ, name), count in Counter((t, n) for t, n, _ in self.resources).items()
                if count > 1]  # fmt: skip

    def names_of(self, kind: str) -> list[str]:
        return [inputs["name"] for typ, _, inputs in self.resources if typ == kind]

    def names(self) -> list[str]:
        """Names on the daemon of everything that has one."""
        return [f"{typ} {inputs['name']}" for typ, _, inputs in self.resources if typ in NAMED]


def networks(register: Register) -> dict[str, str]:
    """What stack `network` exports: ids by name."""
    return {network.name.name: f"{network.name.name}-id" for network in register.networks}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the programs of stacks in a register; what was registered, by stack."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path / ".asp")

    def run_them(register: Register, stacks: list[Stack]) -> dict[str, Daemon]:
        secrets, _ = vault.ensure(register)
        monkeypatch.setattr(contexts, "load", lambda env: register)
        monkeypatch.setattr(contexts.vault, "load", lambda _: secrets)
        return {f"{stack.project} {stack.name}": program(stack, networks(register)) for stack in stacks}

    return run_them


def program(
    stack: Stack, existing: dict[str, str], config: dict[str, str] | None = None, daemon: Daemon | None = None
) -> Daemon:
    """One program, as an engine runs it, against the mocks."""
    daemon = daemon or Daemon(networks=existing)
    contexts.context.cache_clear()
    contexts._image.cache_clear()
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(daemon, project=stack.project, stack=stack.name)
    pulumi.runtime.set_all_config(stack.config if config is None else config)

    @pulumi.runtime.test
    def execute() -> None:
        runpy.run_path(f"{stack.folder}/__main__.py", run_name="__main__")

    try:
        execute()
    finally:
        pulumi.runtime.set_all_config({})  # the next program of this process may be asked by its stack's name alone
    return daemon


def stacks_of(register: Register) -> list[Stack]:
    return [stack for wave in order.waves(register) for stack in wave]


def sound(daemons: dict[str, Daemon]) -> None:
    """No stack uses a logical name twice, and no two stacks a name on the daemon."""
    assert {name: daemon.repeated() for name, daemon in daemons.items() if daemon.repeated()} == {}
    names = [name for daemon in daemons.values() for name in daemon.names()]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert all(len(name.split(" ", 1)[1]) <= 64 for name in names), "Swarm takes 64 characters"


def services(daemons: dict[str, Daemon]) -> dict[str, int]:
    return {name: daemon.count(SERVICE) for name, daemon in daemons.items() if daemon.count(SERVICE)}


def test_every_program_of_an_environment_runs(run):
    register = load("dev")
    daemons = run(register, stacks_of(register))
    sound(daemons)
    assert len(daemons) == len(stacks_of(register)) == 8
    assert services(daemons) == {
        "identity dev": 2,
        "pki dev": 1,
        "databases baz1.dev": 2,
        "backups baz1.dev": 1,
        "appservers baz1.dev": len(register.installed_systems),
        "edge dev": 1,
        "workstations dev": len(register.workstations()),
    }
    assert daemons["network dev"].count(NETWORK) == len(register.networks)


def test_a_cell_of_three_nodes(run, tmp_path):
    copy = Copy(tmp_path)
    copy.edit("environments/dev/environment.yaml", "nodes: 1", "nodes: 3")
    register = copy.load()
    daemons = run(register, stacks_of(register))
    sound(daemons)
    names = register.cell("baz1")
    expected = [*names.postgres, *names.etcd, *names.gate, *names.fencer, names.proxy]
    assert sorted(daemons["databases baz1.dev"].names_of(SERVICE)) == sorted(expected)
    assert len(names.postgres) == len(names.etcd) == 3


ONE = """machines:
  - id: here
    address: 10.1.2.3
    host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQwNDA0MDQw
    roles: [manager, data, apps, edge, vault, monitoring]
    domain: here
    capacity: {memory: 16384, processors: 4, disk: 100}
administration:
  networks: [10.1.2.0/24]
cells:
"""


@pytest.mark.parametrize("env", ["dev", "test"])
def test_a_machine_in_the_register_changes_nothing_of_what_one_machine_runs(run, tmp_path, env):
    """One machine is the smallest form of several: written down or not, it has the same plan, byte for byte."""
    copy = Copy(tmp_path, env)
    without = copy.load()
    copy.edit(f"environments/{env}/environment.yaml", "cells:\n", ONE)
    with_one = copy.load()
    assert [machine.id for machine in with_one.environment.machines] == ["here"] != without.environment.machines
    before, after = (
        {name: sorted(map(repr, daemon.resources)) for name, daemon in run(register, stacks_of(register)).items()}
        for register in (without, with_one)
    )
    assert len(before) == 8 and sum(map(len, before.values())) > 100
    assert before == after


@pytest.mark.parametrize("every", of_family([True, False], [False]), ids=["every cell", "three of the cells"])
def test_every_program_runs_for_the_whole_country(run, country, every):
    """All programs know the whole country; those of a cell are alike, so that three of them say it of all."""
    cells, systems = [cell.id for cell in country.environment.cells], country.installed_systems
    assert len(country.municipalities) > 3_100 and len(cells) > 20
    looked_at = cells if every else [cells[0], cells[len(cells) // 2], cells[-1]]
    daemons = run(country, [stack for stack in stacks_of(country) if stack.cell in (None, *looked_at)])
    sound(daemons)
    assert len(daemons) == 5 + 3 * len(looked_at)
    counts = services(daemons)
    for cell in looked_at:
        assert counts[f"appservers {cell}.land"] == len(systems)
    assert daemons["network land"].count(NETWORK) == len(country.networks)


def refuses(stack: Stack, message: str, config: dict[str, str] | None = None) -> None:
    with pytest.raises(pulumi.RunError, match=message):
        program(stack, {}, config)


def test_configuration_says_what_a_stack_is_for_whatever_its_name(run, monkeypatch):
    register = load("dev")
    run(register, [])
    calls = []
    monkeypatch.setattr(contexts, "load", lambda env: calls.append(env) or register)
    stack = Named("pki", "of-its-own-name")
    assert program(stack, networks(register), {"asp:environment": "dev"}).count(SERVICE) == 1
    assert calls == ["dev"]


class Named(Stack):
    """A stack that somebody named as they liked."""

    def __init__(self, project: str, name: str):
        super().__init__(project, "dev")
        object.__setattr__(self, "given", name)

    @property
    def name(self) -> str:
        return self.given


def test_a_stack_without_environment_is_one_message():
    refuses(Named("pki", "of-its-own-name"), "its name says no environment; wanted <environment> or", {})


def test_a_stack_of_an_unknown_environment_is_one_message():
    refuses(Named("pki", "prod"), "environment = 'prod': no such environment. Known: dev, test", {})


def test_a_stack_of_an_unknown_cell_is_one_message():
    refuses(Named("databases", "baz9.dev"), "cell = 'baz9': no such cell. Known: baz1", {})


def test_a_project_with_a_stack_a_cell_wants_one(run):
    run(load("dev"), [])
    refuses(Named("databases", "dev"), "no cell; wanted a stack named <cell>.dev, or a cell in its configuration", {})

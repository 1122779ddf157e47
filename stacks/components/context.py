"""What every stack program starts from: environment and cell from its configuration; register; secrets.

Configuration: `asp:environment`, and `asp:cell` in a project with a stack a cell. A stack that has neither is asked by
its name (`stacks.order.parse`). With several machines also `asp:daemons`: where each one's Docker daemon answers, as
`{"m2": "unix:///run/m2.sock"}`. A volume is made by the daemon of its machine, everything else by the run's own
(DOCKER_HOST), which must be a manager's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

import pulumi
import pulumi_docker as docker

from inventory.errors import RegisterError
from inventory.machines import Machine
from inventory.models import Cell, Environment
from inventory.names import CellNames, Names
from inventory.placement import Place
from inventory.register import Register, load
from inventory.vault import vault
from inventory.vault.vault import Secrets
from stacks.images.build import recipe
from stacks.order import CONFIG, DAEMONS, StackNameError, parse


@dataclass(frozen=True)
class Context:
    """One run of one stack program."""

    project: str
    register: Register
    secrets: Secrets
    cell_id: str | None
    daemons: Mapping[str, str] = field(default_factory=dict)  # machine's id → address of its daemon

    @property
    def environment(self) -> Environment:
        return self.register.environment

    @property
    def names(self) -> Names:
        return self.register.names

    @property
    def own_cell(self) -> str:
        """Id of the stack's cell; only a per-cell stack (`<cell>.<env>`) has one."""
        if self.cell_id is None:
            raise pulumi.RunError(
                f"stack {self.project}/{pulumi.get_stack()}: no cell; wanted a stack named "
                f"<cell>.{self.environment.id}, or a cell in its configuration: pulumi config set {CONFIG}:cell <cell>"
            )
        return self.cell_id

    @cached_property
    def cell_entry(self) -> Cell:
        """The stack's cell as the register has it."""
        return next(cell for cell in self.environment.cells if cell.id == self.own_cell)

    @cached_property
    def cell(self) -> CellNames:
        """Names of the stack's cell."""
        return self.register.cell(self.own_cell)

    @property
    def labels(self) -> dict[str, str]:
        """Labels on everything that this stack makes; `make clean` finds it by them."""
        return {"asp.env": self.environment.id, "asp.stack": self.project}

    @property
    def root_certificate(self) -> str:
        return self.secrets.root_ca.certificate

    @cached_property
    def _network_ids(self) -> pulumi.Output:
        reference = pulumi.StackReference(f"organization/network/{self.environment.id}")
        return reference.require_output("networks")

    def network(self, name: str) -> pulumi.Output[str]:
        """Id of a network of stack `network`, by its name from `inventory.names`."""
        return self._network_ids.apply(lambda ids: ids[name])

    def image(self, name: str) -> pulumi.Output[str]:
        """Id of one of our images (`stacks/images/<name>`), which must have been built."""
        return _image(name).image_id

    def volume(self, name: str, place: Place) -> docker.Volume:
        """A named volume of this environment, on the one machine of its service."""
        (machine,) = place.machines
        return self._volume(self.short(name), name, machine)

    def volumes(self, name: str, place: Place) -> pulumi.Output[str]:
        """The name of a volume that each machine of a service has for itself, once all of them are made."""
        if not self.environment.several_machines:
            return self.volume(name, place).name
        every = [self._volume(f"{self.short(name)}-{machine.id}", name, machine) for machine in place.machines]
        return pulumi.Output.all(*(volume.name for volume in every)).apply(lambda names: names[0])

    def _volume(self, logical: str, name: str, machine: Machine) -> docker.Volume:
        labels = [docker.VolumeLabelArgs(label=key, value=value) for key, value in sorted(self.labels.items())]
        opts = None
        if self.environment.several_machines:
            provider = self._daemon(machine)
            # A machine that leaves the register takes its volumes along: nobody asks it to remove them.
            opts = pulumi.ResourceOptions(provider=provider, deleted_with=provider)
        return docker.Volume(logical, name=name, labels=labels, opts=opts)

    def _daemon(self, machine: Machine) -> docker.Provider:
        """The daemon of one machine. RunError when the run was not told where it answers."""
        if machine.id not in self._providers:
            if machine.id not in self.daemons:
                names = ", ".join(sorted(self.daemons)) or "none"
                raise pulumi.RunError(
                    f"machine {machine.id} ({machine.address}): no daemon to make its volumes with; seen in "
                    f"{CONFIG}:{DAEMONS}: {names}; wanted an address for each machine: "
                    f'pulumi config set {CONFIG}:{DAEMONS} \'{{"{machine.id}": "unix://<socket>"}}\''
                )
            self._providers[machine.id] = docker.Provider(machine.id, host=self.daemons[machine.id])
        return self._providers[machine.id]

    @cached_property
    def _providers(self) -> dict[str, docker.Provider]:
        return {}

    def short(self, name: str) -> str:
        """A daemon name without its `asp-<env>-` part: the logical name inside a stack."""
        return name.removeprefix(self.names.daemon_name("")) or name


@cache
def _image(name: str) -> docker.RemoteImage:
    return docker.RemoteImage(f"image-{name}", name=recipe.reference(name), keep_locally=True)


def settings() -> tuple[str | None, str]:
    """(cell, environment) of the running program's stack: its configuration, or else its name."""
    config = pulumi.Config(CONFIG)
    env = config.get("environment")
    if env:
        return config.get("cell"), env
    cell, env = parse(pulumi.get_stack())
    return config.get("cell") or cell, env


def daemons() -> dict[str, str]:
    """Where each machine's daemon answers, by the machine's id: the running program's `asp:daemons`."""
    config = pulumi.Config(CONFIG)
    try:
        addresses = config.get_object(DAEMONS) or {}
    except pulumi.ConfigTypeError:
        addresses = None
    if not isinstance(addresses, dict) or not all(isinstance(a, str) and "://" in a for a in addresses.values()):
        raise pulumi.RunError(
            f"{CONFIG}:{DAEMONS} = {config.get(DAEMONS)!r}: cannot be used; wanted each machine's id with the address "
            f'of its daemon, as {{"m2": "unix:///run/m2.sock"}}'
        )
    return addresses


@cache
def context() -> Context:
    """The context of the running program. RunError, which Pulumi shows without a traceback, when there is none."""
    try:
        cell, env = settings()
        register = load(env)
        if cell is not None:
            register.cell(cell)
        return Context(pulumi.get_project(), register, vault.load(register), cell, daemons())
    except (StackNameError, RegisterError) as error:
        raise pulumi.RunError(str(error)) from error

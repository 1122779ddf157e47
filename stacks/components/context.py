"""What every stack program starts from: environment and cell from its configuration; register; secrets.

Configuration: `asp:environment`, and `asp:cell` in a project with a stack a cell. A stack that has neither is asked by
its name (`stacks.order.parse`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import pulumi
import pulumi_docker as docker

from inventory.errors import RegisterError
from inventory.models import Environment
from inventory.names import CellNames, Names
from inventory.register import Register, load
from inventory.vault import vault
from inventory.vault.vault import Secrets
from stacks.images.build import recipe
from stacks.order import CONFIG, StackNameError, parse


@dataclass(frozen=True)
class Context:
    """One run of one stack program."""

    project: str
    register: Register
    secrets: Secrets
    cell_id: str | None

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

    def volume(self, name: str) -> docker.Volume:
        """A named volume of this environment."""
        labels = [docker.VolumeLabelArgs(label=key, value=value) for key, value in sorted(self.labels.items())]
        return docker.Volume(self.short(name), name=name, labels=labels)

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


@cache
def context() -> Context:
    """The context of the running program. RunError, which Pulumi shows without a traceback, when there is none."""
    try:
        cell, env = settings()
        register = load(env)
        if cell is not None:
            register.cell(cell)
        return Context(pulumi.get_project(), register, vault.load(register), cell)
    except (StackNameError, RegisterError) as error:
        raise pulumi.RunError(str(error)) from error

"""The stacks of an environment in the order in which they stand on one another, and how each is named."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inventory import paths
from inventory.register import Register

# Projects of one wave stand side by side and are brought up together; `True` marks those with a stack a cell.
WAVES: list[list[tuple[str, bool]]] = [
    [("network", False)],
    [("identity", False), ("pki", False), ("databases", True)],
    [("backups", True), ("appservers", True)],
    [("edge", False), ("workstations", False)],
]
APP_WAVE = 2  # the wave that brings app servers of this release
CONFIG = "asp"  # namespace of the configuration keys of every stack
DAEMONS = "daemons"  # the key of where each machine's daemon answers
NAME = re.compile(r"(?:(?P<cell>[a-z][a-z0-9]{1,15})\.)?(?P<env>[a-z][a-z0-9]{1,11})")


class StackNameError(ValueError):
    """A stack's name that says neither environment nor cell and environment."""


@dataclass(frozen=True)
class Stack:
    """One stack: its project (folder under stacks/), environment and, for a project with a stack a cell, cell."""

    project: str
    environment: str
    cell: str | None = None

    @property
    def name(self) -> str:
        """`<env>` or `<cell>.<env>`."""
        return f"{self.cell}.{self.environment}" if self.cell else self.environment

    @property
    def folder(self) -> str:
        return str(paths.ROOT / "stacks" / self.project)

    @property
    def config(self) -> dict[str, str]:
        """What its program reads: `asp:environment`, and `asp:cell` where it has one."""
        values = {f"{CONFIG}:environment": self.environment}
        return values | ({f"{CONFIG}:cell": self.cell} if self.cell else {})


def parse(name: str) -> tuple[str | None, str]:
    """(cell, environment) of a stack's name: `baz1.dev` → ("baz1", "dev"), `dev` → (None, "dev")."""
    match = NAME.fullmatch(name)
    if not match:
        raise StackNameError(
            f"stack {name!r}: its name says no environment; wanted <environment> or <cell>.<environment>, such as dev "
            f"or baz1.dev. Or name it as you like and say what it is for: pulumi config set {CONFIG}:environment dev"
        )
    return match["cell"], match["env"]


def waves(register: Register) -> list[list[Stack]]:
    """All stacks of an environment, wave by wave."""
    env = register.environment.id
    cells = [cell.id for cell in register.environment.cells]
    return [
        [Stack(project, env, cell) for project, a_cell in wave for cell in (cells if a_cell else [None])]
        for wave in WAVES
    ]

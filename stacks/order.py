"""The stacks of an environment in the order in which they stand on one another."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Stack:
    """One stack: its project (folder under stacks/) and its name, `<env>` or `<cell>.<env>`."""

    project: str
    name: str

    @property
    def folder(self) -> str:
        return str(paths.ROOT / "stacks" / self.project)


def waves(register: Register) -> list[list[Stack]]:
    """All stacks of an environment, wave by wave."""
    env = register.environment.id
    cells = [cell.id for cell in register.environment.cells]
    return [
        [
            Stack(project, name)
            for project, a_cell in wave
            for name in ([f"{cell}.{env}" for cell in cells] if a_cell else [env])
        ]
        for wave in WAVES
    ]

"""The register of the whole country, made from the list of settlements, in a folder of the test."""

from __future__ import annotations

import shutil
from pathlib import Path

from inventory import paths, register
from inventory.importing.importer import import_settlements
from inventory.register import Register

CELLS = 23


class Country:
    """Environment `land`: every settlement in preparation."""

    def __init__(self, folder: Path):
        self.root = folder / "inventory"
        (self.root / "environments").mkdir(parents=True)
        shutil.copytree(paths.REGISTER / paths.CATALOGUE, self.root / paths.CATALOGUE)
        template = paths.ENVIRONMENTS / "dev" / "environment.yaml"
        import_settlements(self.root / "environments" / "land", template, None)

    def load(self) -> Register:
        return register.load("land", self.root)

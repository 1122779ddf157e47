"""The register of the whole country, made from the list of settlements once for all processes of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from inventory import paths, register
from inventory.importing.importer import import_settlements
from inventory.register import Register

CELLS = 23


def load_country(factory: pytest.TempPathFactory) -> Register:
    """Environment `land`: every settlement in preparation."""
    base = factory.getbasetemp()
    # pytest-xdist gives each process a folder of its own in that of the run.
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "country"
    folder.mkdir(exist_ok=True)
    root, whole = folder / "inventory", folder / "whole"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            _make(root)
            whole.touch()
    return register.load("land", root)


def _make(root: Path) -> None:
    (root / "environments").mkdir(parents=True)
    shutil.copytree(paths.REGISTER / paths.CATALOGUE, root / paths.CATALOGUE)
    template = paths.ENVIRONMENTS / "dev" / "environment.yaml"
    import_settlements(root / "environments" / "land", template, None)

"""A copy of the project's register that a test may break."""

from __future__ import annotations

import shutil
from pathlib import Path

from inventory import paths, register
from inventory.errors import RegisterError
from inventory.register import Register


class Copy:
    """The register with one environment alone, in a folder of the test. Files are named from `inventory/`."""

    def __init__(self, folder: Path, env: str = "dev"):
        self.root, self.env = folder / "inventory", env
        shutil.copytree(paths.ENVIRONMENTS / env, self.root / "environments" / env)
        shutil.copytree(paths.REGISTER / paths.CATALOGUE, self.root / paths.CATALOGUE)

    def load(self, env: str | None = None) -> Register:
        return register.load(env or self.env, self.root)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where `old` stands."""
        file = self.root / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{name} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")

    def add_municipality(self, ksh: str, name: str, **fields: str) -> str:
        """A municipality in preparation at Sajószentpéter's office; `fields` replace lines. Its file name."""
        values = {
            "ksh": f'"{ksh}"',
            "name": name,
            "office": '"16054"',
            "cell": "baz1",
            "join_mode": "system",
            "systems": "[keret, irat]",
            "contract": "{number: null, status: assumed}",
            "phase": "preparation",
        } | fields
        file = f"environments/dev/municipalities/{ksh}-new.yaml"
        self.write(file, "".join(f"{key}: {value}\n" for key, value in values.items()))
        return file

    def faults(self, env: str | None = None) -> list[str]:
        """What loading refuses it for; fails the test when it is accepted."""
        try:
            self.load(env)
        except RegisterError as error:
            return [str(fault) for fault in error.faults]
        raise AssertionError("the register was accepted; wanted: refused")

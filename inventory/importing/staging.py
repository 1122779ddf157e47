"""A register beside the register: what is to come is written and validated there, and moves in whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from inventory import paths


class Staging:
    """A copy of one environment's folder, with its neighbours, the catalogue and what was applied in reach.

    `root`: the register to load for validation. It lies on the folder's own file system, and goes with the block.
    """

    def __init__(self, folder: Path):
        self._folder = folder.absolute()

    def __enter__(self) -> Staging:
        root = self._folder.parents[1]
        place = next(parent for parent in self._folder.parents if parent.is_dir())
        self._scratch = Path(tempfile.mkdtemp(prefix=".import-", dir=place))
        self.root = self._scratch / "inventory"
        self._copy = self.root / "environments" / self._folder.name
        self._copy.parent.mkdir(parents=True)
        if self._folder.is_dir():
            shutil.copytree(self._folder, self._copy)
        catalogue = root / paths.CATALOGUE
        links = {self.root / paths.CATALOGUE: catalogue if catalogue.is_dir() else paths.REGISTER / paths.CATALOGUE}
        links |= {
            self._copy.parent / file.parent.name: file.parent
            for file in self._folder.parent.glob("*/environment.yaml")
            if file.parent != self._folder
        }
        if (applied := root.parent / paths.LOCAL.name).is_dir():
            links[self._scratch / paths.LOCAL.name] = applied
        for link, target in links.items():
            link.symlink_to(target)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._scratch)

    def write(self, name: Path, text: str) -> None:
        """A file of the copy, by its name in the environment's folder."""
        file = self._copy / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def move_in(self, names: Iterable[Path]) -> None:
        """Put files in place: a new environment in one step, others file by file, all of them or none.

        A run that is killed between two files leaves whole ones, and the next import completes them.
        """
        if not self._folder.exists():
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._copy.rename(self._folder)
            return
        replaced: list[tuple[Path, Path | None]] = []
        try:
            for name in names:
                source, target, former = self._copy / name, self._folder / name, None
                target.parent.mkdir(exist_ok=True)
                if target.exists():
                    former = self._scratch / f"former-{len(replaced)}"
                    os.link(target, former)
                replaced.append((target, former))
                os.replace(source, target)
        except BaseException:
            for target, former in reversed(replaced):
                if former is None:
                    target.unlink(missing_ok=True)
                else:
                    os.replace(former, target)
            raise

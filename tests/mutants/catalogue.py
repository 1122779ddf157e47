"""The mutants of this tree: one file an area, each fault with its place and why it matters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from inventory import paths

AREAS = Path(__file__).parent / "areas"


class MutantFault(Exception):
    """A mutant that cannot be planted; the message says which, what was seen and what to do."""


@dataclass(frozen=True)
class Mutant:
    """One fault: `before` stands once in `file` and becomes `after`. `tests`: nearest first, as pytest is given them.

    `left`: why it is accepted that no test without Docker notices it; empty for all others.
    """

    area: str
    id: str
    file: str
    before: str
    after: str
    why: str
    tests: tuple[str, ...]
    left: str = ""

    def plant(self, root: Path) -> str:
        """Write the fault into the tree at `root`; the text that was there."""
        place = root / self.file
        text = place.read_text(encoding="utf-8")
        if (count := text.count(self.before)) != 1:
            raise MutantFault(
                f"{self.area}/{self.id}: {self.before!r} stands {count} times in {self.file}, wanted once. "
                f"Write the place as it is now into tests/mutants/areas/{self.area}.yaml"
            )
        if self.before == self.after:
            raise MutantFault(f"{self.area}/{self.id}: before and after are the same. Write the fault that it plants")
        place.write_text(text.replace(self.before, self.after), encoding="utf-8")
        return text

    def digest(self, root: Path) -> str:
        """Of all that its result depends on: the fault, the file, its tests with their data, and what tests share."""
        content = hashlib.sha256(repr(self).encode())
        tests = [test.partition("::")[0] for test in self.tests]
        data = sorted({f"{test.rpartition('/')[0]}/data" for test in tests if (root / test).is_file()})
        for name in (self.file, *tests, *data, "tests/support"):
            place = root / name
            for file in [place] if place.is_file() else sorted(place.rglob("*.*")):
                if "__pycache__" not in file.parts and file.is_file():
                    content.update(file.read_bytes())
        return content.hexdigest()


def mutants(folder: Path = AREAS) -> list[Mutant]:
    """Every mutant, by area; MutantFault for one that is written wrongly."""
    return [mutant for file in sorted(folder.glob("*.yaml")) for mutant in _of_area(file)]


def _of_area(file: Path) -> Iterator[Mutant]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    ordinary = content.get("tests", [])
    for id, fields in content["mutants"].items():
        try:
            tests = tuple(fields.pop("tests", ordinary))
            yield Mutant(file.stem, id, tests=tests, **fields)
        except (TypeError, AttributeError) as error:
            raise MutantFault(f"{file.name}: {id}: {error}. Wanted: file, before, after, why (tests, left)") from error


def matching(words: list[str]) -> list[Mutant]:
    """Those whose area, id or file begins with one of `words`; all when there is none."""
    selection = [m for m in mutants() if not words or any(_fits(m, word) for word in words)]
    if not selection:
        areas = ", ".join(sorted({mutant.area for mutant in mutants()}))
        raise MutantFault(f"no mutant fits {' '.join(words)}. Wanted a path, an id or one of: {areas}")
    return selection


def _fits(mutant: Mutant, word: str) -> bool:
    word = word.removeprefix(f"{paths.ROOT}/").rstrip("/")
    return word in (mutant.area, mutant.id, f"{mutant.area}/{mutant.id}") or f"{mutant.file}/".startswith(f"{word}/")

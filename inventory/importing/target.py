"""The environment folder that an import adds to: what it holds, the texts of new files, and writing them."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import yaml
from pydantic import ValidationError

from inventory import paths
from inventory.applied import write_whole
from inventory.errors import Fault, RegisterError
from inventory.gazetteer import MEMBERS, OWN_OFFICE, Settlement
from inventory.models import Cell, Environment, MunicipalityEntry, Office, System
from inventory.names import slugify
from inventory.reader import Reader

CELLS_BLOCK = re.compile(r"(?m)^cells:.*\n(?:[ #-].*\n|\n)*")


class Target:
    """What the folder holds before the import (read once), and what the import adds to it."""

    def __init__(self, folder: Path, template: Path):
        self.folder = folder
        self._environment_file = folder / "environment.yaml"
        self._new = not self._environment_file.is_file()
        self._text = _template(template, folder.name) if self._new else self._environment_file.read_text("utf-8")
        reader = Reader(folder.absolute().parents[1])
        self.entries = reader.folder(folder.absolute() / "municipalities", MunicipalityEntry)
        offices = reader.folder(folder.absolute() / "offices", Office)
        catalogue = Reader(template.parents[2])
        systems = catalogue.many(template.parents[2] / paths.CATALOGUE / "systems.yaml", System)
        if faults := reader.faults + catalogue.faults:
            raise RegisterError(faults)
        self.cells = [] if self._new else self._environment(self._text).cells
        self.files = {entry.ksh: path for path, entry in self.entries.items()}
        self.slugs = {entry.host_slug or slugify(entry.name): entry.name for entry in self.entries.values()}
        self.seats = {office.seat for office in offices.values()}
        self._systems = [system.id for _, system in systems if system.installed]
        self._files: dict[Path, str] = {}

    def _environment(self, text: str) -> Environment:
        try:
            return Environment.model_validate(yaml.safe_load(text))
        except (yaml.YAMLError, ValidationError) as error:
            problem = str(error).splitlines()[-1].strip()
            remedy = "Mend it: python -m inventory validate tells more"
            fault = Fault(f"{self.folder.name}/environment.yaml", "(file)", problem, "has faults", remedy)
            raise RegisterError([fault]) from error

    def add_office(self, seat: Settlement) -> Path:
        """A new office file; its clerks come with the phase connection."""
        kind, title = ("own", "Polgármesteri Hivatal") if seat.office_kind == OWN_OFFICE else ("joint", JOINT)
        text = (
            f'seat: "{seat.ksh}"\n'
            f"name: {_scalar(f'{title} ({seat.name})')}\n"
            f"kind: {kind}\n"
            "clerks: []         # at least one before a member's phase is connection\n"
            "workstations: []\n"
        )
        return self._add("offices", seat, text)

    def add_municipality(self, settlement: Settlement, seat: Settlement, cell: str) -> Path:
        """A new municipality file in phase preparation."""
        text = (
            f'ksh: "{settlement.ksh}"\n'
            f"name: {_scalar(settlement.name)}\n"
            f'office: "{seat.ksh}"     # KSH code of the office\'s seat{_seat_name(settlement)}\n'
            f"cell: {cell}\n"
            "join_mode: system\n"
            f"systems: [{', '.join(self._systems)}]\n"
            "contract:\n  number: null\n  status: assumed\n"
            "phase: preparation\n"
        )
        return self._add("municipalities", settlement, text)

    def _add(self, folder: str, settlement: Settlement, text: str) -> Path:
        path = self.folder / folder / f"{settlement.ksh}-{settlement.slug}.yaml"
        if path.exists():  # of another municipality or office: it would have been kept otherwise
            problem = "the file is there and holds another code"
            raise RegisterError([Fault(f"{folder}/{path.name}", "ksh", settlement.ksh, problem, "Rename that file")])
        self._files[path] = text
        return path

    def add_cells(self, added: list[Cell]) -> None:
        """Add cells at the end of the list in environment.yaml (their order is for ever); comments stay."""
        if not added:
            return
        lines = "".join(
            f"  - id: {cell.id}\n    county: {cell.county}\n    capacity: {cell.capacity}\n    nodes: {cell.nodes}\n"
            for cell in added
        )
        if self._new:
            text = CELLS_BLOCK.sub(f"cells:\n{lines}", self._text)
        else:
            text = CELLS_BLOCK.sub(lambda block: block.group().rstrip("\n") + "\n" + lines, self._text)
        if self._environment(text).cells != [*self.cells, *added]:
            names = ", ".join(cell.id for cell in added)
            remedy = "Write its cells as a list with one field a line, or add these by hand"
            fault = Fault("environment.yaml", "cells", names, "could not be added to the file", remedy)
            raise RegisterError([fault])
        self._text = text

    def write(self) -> None:
        """Write everything: cells first, then offices and municipalities; a killed run is completed by the next."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._new or self._environment_file.read_text("utf-8") != self._text:
            write_whole(self._environment_file, self._text)
            self._environment_file.chmod(0o644)
        for name in ("offices", "municipalities"):
            (self.folder / name).mkdir(exist_ok=True)
        for path, text in self._files.items():
            _write_new(path, text)


JOINT = "Közös Önkormányzati Hivatal"  # with the seat in brackets: the adjective of a name needs a Hungarian eye


def _template(template: Path, env: str) -> str:
    """Another environment's text under a new id, without that one's heading; never a demonstration by inheritance."""
    text = re.sub(r"(?m)\A(#.*\n)+|^demonstration:.*\n", "", template.read_text(encoding="utf-8"))
    return f"# Environment {env!r}, made by an import: give it a subnet and ports of its own.\n" + re.sub(
        r"(?m)^id: .*$", f"id: {env}", text
    )


def _seat_name(settlement: Settlement) -> str:
    return f", {settlement.office_seat}" if settlement.office_kind in MEMBERS else ""


def _scalar(text: str) -> str:
    """Text as YAML reads it back, quoted only where it must be."""
    return text if yaml.safe_load(f"name: {text}") == {"name": text} else '"' + text.replace('"', '\\"') + '"'


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all, and never over a file that is there."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, 0o644)
        os.link(temporary, path)
    finally:
        os.unlink(temporary)

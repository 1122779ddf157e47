"""The environment folder that an import adds to: what it holds, the texts of new files, and writing them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from pydantic import ValidationError

from inventory import paths, register
from inventory.errors import Fault, RegisterError
from inventory.gazetteer import MEMBERS, OWN_OFFICE, Settlement
from inventory.importing import places
from inventory.importing.places import Places, choose
from inventory.importing.staging import Staging
from inventory.models import Cell, Environment, Municipality, Office, System
from inventory.names import slugify
from inventory.reader import Reader, explain

CELLS_BLOCK = re.compile(r"(?m)^cells:.*\n(?:[ #-].*\n|\n)*")


class Target:
    """What the folder holds before the import (read once), and what the import adds to it."""

    def __init__(self, folder: Path, template: Path, required: Places):
        self.folder = folder
        self._environment_file = folder / "environment.yaml"
        self._new = not self._environment_file.is_file()
        catalogue = Reader(template.parents[2])
        systems = catalogue.read_list(template.parents[2] / paths.CATALOGUE / "systems.yaml", System)
        self._systems = [system.id for _, system in systems if system.installed]
        reader = Reader(folder.absolute().parents[1])
        context = {"installed": self._systems}
        self.entries = reader.folder(folder.absolute() / "municipalities", Municipality, context)
        offices = reader.folder(folder.absolute() / "offices", Office)
        if faults := reader.faults + catalogue.faults:
            raise RegisterError(faults)
        self.places: Places | None = None
        if self._new:
            text = _template(template, folder.name)
            neighbours = [file for file in folder.parent.glob("*/environment.yaml") if file.parent != folder]
            environments = [
                Reader(file.absolute().parents[2]).read_model(file.absolute(), Environment) for file in neighbours
            ]
            self.places = choose(required, self._environment(text), [other for other in environments if other])
            self._text, self.cells = places.write(text, self.places), []
            if (actual := Places.from_environment(self._environment(self._text))) != self.places:
                remedy = f"Write subnet and ports of {template.parent.name} on lines of their own"
                fault = Fault(f"{template.parent.name}/environment.yaml", "ports", str(actual), "cannot be set", remedy)
                raise RegisterError([fault])
        else:
            if required.named:
                remedy = "Remove the option, or change environment.yaml"
                problem = "the environment is there and has its own"
                raise RegisterError([Fault(folder.name, option, "", problem, remedy) for option in required.named])
            self._text = self._environment_file.read_text("utf-8")
            self.cells = self._environment(self._text).cells
        self.files = {entry.ksh: path for path, entry in self.entries.items()}
        self.slugs = {entry.host_slug or slugify(entry.name): entry.name for entry in self.entries.values()}
        self.seats = {office.seat for office in offices.values()}
        self._files: dict[Path, str] = {}

    def _environment(self, text: str) -> Environment:
        place = f"{self.folder.name}/environment.yaml"
        try:
            return Environment.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as error:
            remedy = "Correct it: python -m inventory validate tells more"
            raise RegisterError([Fault(place, "(file)", str(error), "is not YAML", remedy)]) from error
        except ValidationError as error:
            faults = [
                Fault(place, ".".join(map(str, item["loc"])), item.get("input"), *explain(dict(item), Environment))
                for item in error.errors(include_url=False)
            ]
            raise RegisterError(faults) from error

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
        """Add cells at the end of the list in environment.yaml (their order is forever); comments stay."""
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

    def commit(self, dry_run: bool = False) -> None:
        """Write everything at once: the whole result stands in a folder beside and is sound before anything moves in.

        RegisterError when it is not; nothing is changed then, nor in a dry run.
        """
        with Staging(self.folder) as staging:
            files = {path.relative_to(self.folder): text for path, text in self._files.items()}
            if self._new or self._environment_file.read_text("utf-8") != self._text:
                files = {Path("environment.yaml"): self._text, **files}  # cells first
            for name, text in files.items():
                staging.write(name, text)
            register.load(self.folder.name, staging.root)
            if not dry_run:
                staging.move_in(files)


JOINT = "Közös Önkormányzati Hivatal"  # with the seat in brackets: the adjective of a name needs a Hungarian eye


def _template(template: Path, env: str) -> str:
    """Another environment's text under a new id, without that one's heading; never a demonstration by inheritance."""
    text = re.sub(r"(?m)\A(#.*\n)+|^demonstration:.*\n", "", template.read_text(encoding="utf-8"))
    return f"# Environment {env!r}, made by an import.\n" + re.sub(r"(?m)^id: .*$", f"id: {env}", text)


def _seat_name(settlement: Settlement) -> str:
    return f", {settlement.office_seat}" if settlement.office_kind in MEMBERS else ""


def _scalar(text: str) -> str:
    """Text as YAML reads it back, quoted only where it must be."""
    return text if yaml.safe_load(f"name: {text}") == {"name": text} else '"' + text.replace('"', '\\"') + '"'

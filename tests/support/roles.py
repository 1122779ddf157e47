"""Roles of the project, their specifications, and the table of arguments that their READMEs hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from inventory import paths

COLLECTIONS = paths.ROOT / "playbooks" / "collections"
CENTRE = COLLECTIONS / "ansible_collections" / "asp" / "centre"
ENDPOINT = COLLECTIONS / "ansible_collections" / "asp" / "endpoint"


def roles() -> list[Path]:
    """Folder of every role: those of the centre, of its machines, and of the collection asp.endpoint."""
    ours = paths.ROOT / "roles"
    return [
        *(sorted(ours.glob("tenant_*"))),
        *sorted(ours.glob("machine_*")),
        *sorted((ENDPOINT / "roles").glob("endpoint_*")),
    ]


def specification(role: Path) -> dict[str, Any]:
    """The role's entry point `main` as `meta/argument_specs.yml` has it."""
    return yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]


def defaults(role: Path) -> dict[str, Any]:
    file = role / "defaults" / "main.yml"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}


def table(role: Path) -> str:
    """The arguments as a README shows them."""
    rows = ["| variable | type | default | is |", "| --- | --- | --- | --- |"]
    for name, option in specification(role)["options"].items():
        kind = option["type"] + (f" of {option['elements']}" if "elements" in option else "")
        kind += f": {', '.join(option['choices'])}" if "choices" in option else ""
        value = "required" if option.get("required") else f"`{_text(option['default'])}`"
        rows.append(f"| `{name}` | {kind} | {value} | {' '.join(option['description'].split())} |")
    return "\n".join(rows) + "\n"


def _text(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("...\n").strip() if value != "" else '""'

"""What was applied last for each municipality: the values that may not change once its tenant exists.

`.asp/<env>/applied.json`: `{ksh: {field: value}}`, written after a successful join.
"""

from __future__ import annotations

import json
import os
import tempfile

from inventory import paths
from inventory.register import Municipality

UNCHANGEABLE = ("name", "cell")


def of(municipality: Municipality) -> dict[str, str]:
    """The unchangeable values of a municipality (name: its host and certificates carry it; cell: its data is there)."""
    return {field: getattr(municipality, field) for field in UNCHANGEABLE}


def read(env: str) -> dict[str, dict[str, str]]:
    """What was applied in an environment; empty when nothing was."""
    file = paths.environment_dir(env) / "applied.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(env: str, values: dict[str, dict[str, str]]) -> None:
    """Replace it, whole or not at all."""
    file = paths.environment_dir(env) / "applied.json"
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=".applied.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(values, stream, ensure_ascii=False, indent=1, sort_keys=True)
    os.replace(temporary, file)

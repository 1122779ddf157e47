"""The JSON schema of report.json, derived from the model: `python -m checks.report.schema` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from checks.report.model import SCHEMA, Report

FILE = Path(__file__).with_name("schema.json")


def schema() -> dict[str, Any]:
    """The schema of this release; no field may be missing and none may be added."""
    derived = TypeAdapter(Report).json_schema(mode="serialization")
    for part in (derived, *derived["$defs"].values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
            part["required"] = sorted(part["properties"])
    derived["properties"]["schema"]["const"] = SCHEMA
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"Readiness report, schema {SCHEMA}"}
    return head | {key: value for key, value in derived.items() if key != "title"}


def text() -> str:
    """The file's text."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

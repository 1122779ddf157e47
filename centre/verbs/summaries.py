"""What the programs that `up` runs say of themselves, as JSON: how much an engine, a play or an image build changed."""

from __future__ import annotations

import json
from pathlib import Path

from centre.verbs.progress import Uncounted

# Operations of Pulumi's summary event that change a resource, and the word for each.
CHANGES = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted"}
PLAY_SUMMARY = "ASP_PLAY_SUMMARY"  # names the file that our Ansible callback writes at the end of a play
DONE = Uncounted("done")


def changes(counts: dict[str, int]) -> str:
    """`2 created, 1 updated`; empty when nothing changes. `counts`: resources by operation, as Pulumi gives them."""
    return ", ".join(f"{counts[op]} {word}" for op, word in CHANGES.items() if counts.get(op))


def of_engine(event_log: Path) -> str:
    """What a deployment changed, from its event log (JSON lines; `pulumi --event-log` writes the same)."""
    summary = None
    for line in event_log.read_text(encoding="utf-8").splitlines() if event_log.is_file() else []:
        event = json.loads(line)
        summary = event.get("summaryEvent", summary)
    return DONE if summary is None else changes(summary.get("resourceChanges") or {})


def of_play(file: Path) -> str:
    """What a play changed; without the callback's file nothing is known but that it ended well."""
    if not file.is_file():
        return DONE
    count = int(json.loads(file.read_text(encoding="utf-8"))["changed"])
    return f"{count} tasks changed" if count else ""


def of_images(file: Path) -> str:
    """How many images were built, from the summary that `python -m stacks.images.build --summary FILE` writes."""
    built = json.loads(file.read_text(encoding="utf-8"))["built"]
    return f"{len(built)} built" if built else ""

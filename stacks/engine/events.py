"""Engine events: what happens to which resource, for the display, `--event-log` and `--json`."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stacks.engine.urn import is_default_provider
from stacks.engine.values import mask

SILENT = {"refresh", "read", "delete-replaced", "create-replacement", "remove-pending-replace"}


class Events:
    """Hands events to listeners and counts what changed."""

    def __init__(self, log: Path | None = None):
        self.listeners: list[Callable[[dict], None]] = []
        self.changes: Counter = Counter()
        self.errors: list[str] = []
        self.detailed = log is not None  # whether events carry whole resource states
        self._sequence = 0
        self._lock = threading.RLock()
        # Open for the whole run: closed by close().
        self._log = log.open("a", encoding="utf-8") if log else None  # noqa: SIM115 (see above)

    def emit(self, kind: str, **content: Any) -> None:
        """Send one event. `content` must be JSON."""
        with self._lock:
            event = {"sequence": self._sequence, "timestamp": int(time.time()), kind: content}
            self._sequence += 1
            if self._log:
                self._log.write(json.dumps(event) + "\n")
                self._log.flush()
            for listener in self.listeners:
                listener(event)

    def starting(self, step: Any) -> None:
        """A step begins."""
        self.emit("resourcePreEvent", metadata=_metadata(step, self.detailed))

    def finished(self, step: Any) -> None:
        """A step has ended well."""
        with self._lock:
            if step.op not in SILENT and not is_default_provider(step.urn):
                self.changes[step.op] += 1
        self.emit("resOutputsEvent", metadata=_metadata(step, self.detailed))

    def failed(self, step: Any) -> None:
        """A step has failed."""
        self.emit("resOpFailedEvent", metadata=_metadata(step, self.detailed), status=0, steps=0)

    def diagnostic(self, severity: str, message: str, urn: str = "", ephemeral: bool = False) -> None:
        """A message: `info`, `warning`, `error`, `info#err` (a program's own output) or `debug`."""
        if severity == "error":
            self.errors.append(message)
        self.emit("diagnosticEvent", severity=severity, message=message, urn=urn, color="never", ephemeral=ephemeral)

    def summary(self, seconds: float, preview: bool) -> None:
        """The last event."""
        self.emit(
            "summaryEvent",
            durationSeconds=round(seconds),
            resourceChanges=dict(sorted(self.changes.items())),
            isPreview=preview,
            maybeCorrupt=False,
        )

    def close(self) -> None:
        """Close the event log."""
        if self._log:
            self._log.close()
            self._log = None


def _metadata(step: Any, detailed: bool) -> dict:
    metadata: dict[str, Any] = {"op": step.op, "urn": step.urn, "type": step.type}
    if step.keys:
        metadata["diffs"] = step.keys
    if step.diff is not None and step.diff.changes:
        metadata["detailedDiff"] = {
            path: {"diffKind": kind + ("-replace" if path in step.diff.replaces else ""), "inputDiff": False}
            for path, (kind, _, _) in step.diff.changes.items()
        }
    if not detailed:
        return metadata
    for key in ("old", "new"):
        resource = getattr(step, key)
        if resource is not None:
            metadata[key] = {
                "type": resource.type,
                "urn": resource.urn,
                "custom": resource.custom,
                "id": resource.id,
                "parent": resource.parent,
                "protect": resource.protect,
                "provider": resource.provider,
                "inputs": mask(resource.inputs),
                "outputs": mask(resource.outputs),
            }
    return metadata

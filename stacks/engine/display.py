"""What the operator sees of a run: plain lines everywhere, colours and a progress line on a terminal."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO

from stacks.engine import urn as urns
from stacks.engine.goal import path_keys
from stacks.engine.values import SIG

SIGNS = {
    "create": "+",
    "delete": "-",
    "update": "~",
    "replace": "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
    "same": " ",
    "read": ">",
    "refresh": "~",
    "remove-pending-replace": "~",
    "import": "=",
    "discard": "<",
}
COLOURS = {"create": 32, "delete": 31, "update": 33, "replace": 35, "create-replacement": 32, "delete-replaced": 31}
ING = {
    "create": "creating",
    "delete": "deleting",
    "update": "updating",
    "replace": "replacing",
    "read": "reading",
    "create-replacement": "creating replacement",
    "delete-replaced": "deleting original",
    "refresh": "refreshing",
    "remove-pending-replace": "completing deletion from previous update",
    "discard": "discarding",
}
ED = {
    "create": "created",
    "delete": "deleted",
    "update": "updated",
    "replace": "replaced",
    "read": "read",
    "create-replacement": "created replacement",
    "delete-replaced": "deleted original",
    "refresh": "refreshed",
    "discard": "discarded",
}
QUIET = {"same", "read"}


class Display:
    """Listener of events. `title`: heading such as `Updating (dev)`."""

    def __init__(
        self, title: str, preview: bool, diff: bool = False, sames: bool = False, stream: TextIO | None = None
    ):
        self.out = stream or sys.stdout
        self.preview, self.diff, self.sames = preview, diff, sames
        self.terminal = self.out.isatty()
        self._started: dict[tuple[str, str], float] = {}
        self._begin = time.monotonic()
        self._width = 0
        self._title = title
        self._write(f"{title}:")

    def __call__(self, event: dict) -> None:
        """Show one event."""
        for kind, show in (
            ("resourcePreEvent", self._starting),
            ("resOutputsEvent", self._finished),
            ("resOpFailedEvent", self._failed),
            ("diagnosticEvent", self._message),
            ("summaryEvent", self._summary),
        ):
            if kind in event:
                show(event[kind])

    def _starting(self, event: dict) -> None:
        data = event["metadata"]
        op = data["op"]
        self._started[(op, data["urn"])] = time.monotonic()
        if op == "same" and self.sames:
            self._line(data, "same" if self.preview else "unchanged")
            return
        if op in QUIET or op in ("refresh", "replace"):
            self._progress(data)
            return
        if self.preview:
            self._line(data, op)
        else:
            self._line(data, ING.get(op, op))

    def _finished(self, event: dict) -> None:
        data = event["metadata"]
        op = data["op"]
        if self.preview or op in QUIET or op in ("refresh", "replace") or op not in ED:
            return
        spent = time.monotonic() - self._started.pop((op, data["urn"]), time.monotonic())
        self._line(data, f"{ED[op]} ({spent:.2f}s)")

    def _failed(self, event: dict) -> None:
        self._line(event["metadata"], "failed", 31)

    def _line(self, data: dict, words: str, colour: int | None = None) -> None:
        op = data["op"]
        sign = SIGNS.get(op, " ")
        text = f" {sign:<2} {data['type']} {urns.name_of(data['urn'])} {words}"
        diffs = data.get("diffs")
        if diffs:
            text += f" [diff: {','.join('~' + key for key in diffs)}]"
        self._write(self._coloured(text, colour or COLOURS.get(op)))
        if self.diff and (self.preview or op != "same"):
            for path, change in sorted((data.get("detailedDiff") or {}).items()):
                self._write(f"      {path}: {_change(path, change, data)}")

    def _message(self, event: dict) -> None:
        severity, text = event["severity"], event["message"]
        if severity == "debug" or event.get("ephemeral"):
            return
        name = f"{urns.type_of(event['urn'])} {urns.name_of(event['urn'])}: " if event.get("urn") else ""
        if severity == "info#out":
            self._write(f"    {text}")
        elif severity in ("info", "info#err"):
            self._write(_indented(f"info: {name}{text}"))
        else:
            self._write(self._coloured(_indented(f"{severity}: {name}{text}"), 31 if severity == "error" else 33))

    def _summary(self, event: dict) -> None:
        self._clear()
        changes = event["resourceChanges"]
        self._write("Resources:")
        for op, count in changes.items():
            if op == "same":
                continue
            verb = f"to {op}" if self.preview else ED.get(op, op)
            self._write(self._coloured(f"    {SIGNS.get(op, ' ')} {count} {verb}", COLOURS.get(op)))
        if changes.get("same"):
            self._write(f"    {changes['same']} unchanged")
        self._write(f"Duration: {time.monotonic() - self._begin:.2f}s")

    # -- writing

    def _coloured(self, text: str, colour: int | None) -> str:
        return f"\033[{colour}m{text}\033[0m" if self.terminal and colour else text

    def _progress(self, data: dict) -> None:
        if self.terminal:
            text = f"    … {urns.name_of(data['urn'])}"[:79]
            self.out.write("\r" + text.ljust(self._width))
            self.out.flush()
            self._width = len(text)

    def _clear(self) -> None:
        if self.terminal and self._width:
            self.out.write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, text: str) -> None:
        self._clear()
        self.out.write(text + "\n")
        self.out.flush()


def _indented(text: str) -> str:
    return "    " + text.replace("\n", "\n      ")


def _change(path: str, change: dict, data: dict) -> str:
    old = _at(data.get("old", {}).get("outputs", {}), path)
    new = _at(data.get("new", {}).get("inputs", {}), path)
    kind = change["diffKind"]
    text = f"{_short(old)} => {_short(new)}"
    return f"{text}  ({kind})" if kind.endswith("replace") else text


def _at(value: Any, path: str) -> Any:
    for key in path_keys(path):
        if value == "[secret]":
            return value
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _short(value: Any) -> str:
    if isinstance(value, dict) and SIG in value:
        return "[secret]"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else text[:97] + "..."


def json_steps(events: list[dict]) -> list[dict]:
    """`steps` of `preview --json`."""
    steps = []
    for event in events:
        data = event.get("resourcePreEvent", {}).get("metadata")
        if data:
            step = {"op": data["op"], "urn": data["urn"], "provider": data.get("new", {}).get("provider", "")}
            if data.get("old"):
                step["oldState"] = data["old"]
            if data.get("new"):
                step["newState"] = data["new"]
            if data.get("diffs"):
                step["diffReasons"] = data["diffs"]
            if data.get("detailedDiff"):
                step["detailedDiff"] = data["detailedDiff"]
            steps.append(step)
    return steps

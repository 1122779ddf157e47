"""The journal beside a checkpoint: every step is appended, and folded into the checkpoint at the end.

One JSON object a line. `begin` is written before an operation touches the daemon and `done` after it, so a crash
at any point leaves what had been achieved and what was under way. A last line cut in the middle is ignored: its
operation counts as still under way.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from stacks.engine.errors import StateError
from stacks.engine.files import write_file
from stacks.engine.state import Resource, Snapshot


class Journal:
    """Append-only file. Records hold sealed resource records only, never plain secrets."""

    def __init__(self, path: Path):
        self.path = path
        self._file: TextIO | None = None
        self._before_first: Callable[[], object] | None = None
        self._lock = threading.Lock()

    def open(self, before_first: Callable[[], object] = lambda: None) -> None:
        """Accept records; an old journal must have been recovered before. `before_first` may refuse the first one."""
        self._before_first = before_first

    def _start(self, before_first: Callable[[], object] | None) -> TextIO:
        if before_first is not None:
            before_first()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Open for the whole run: closed by replace().
        file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115 (see above)
        os.chmod(self.path, 0o600)
        return file

    def write(self, record: dict) -> None:
        """Append one record and hand it to the operating system."""
        line = json.dumps(record, separators=(",", ":")) + "\n"
        with self._lock:
            if self._file is None and self._before_first is None:
                return  # not open: a preview, or something that came to its end after all was saved
            if self._file is None:
                self._file = self._start(self._before_first)
            self._file.write(line)
            self._file.flush()

    @property
    def has_records(self) -> bool:
        """Whether a record was written in this run."""
        return self._file is not None

    def replace(self, records: list[dict]) -> None:
        """Begin anew with `records`, or with no journal at all when there are none."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            self._before_first = None
        if records:
            write_file(self.path, "".join(json.dumps(item, separators=(",", ":")) + "\n" for item in records))
        else:
            self.path.unlink(missing_ok=True)

    def read(self) -> list[dict]:
        """Records of an earlier run, without a last line cut in the middle. StateError on damage before it."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return []
        records = []
        lines = raw.split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                records.append(_record(line))
            except ValueError as cause:
                if number >= len(lines) - 1:
                    break
                raise StateError(
                    f"journal {self.path} is damaged at line {number} of {len(lines)}: {cause}. Nothing was touched; "
                    "move the file away to go on from the checkpoint alone (then run refresh)."
                ) from cause
        return records


def _record(line: bytes) -> dict:
    """A record of the journal; ValueError when the line holds none."""
    record = json.loads(line)
    if not isinstance(record, dict) or not ("resource" in record or record.get("kind") == "alias"):
        raise ValueError("it holds no record of a step")
    return record


@dataclass
class Interrupted:
    """An operation that an earlier run had begun and not finished."""

    op: str
    resource: Resource
    time: float = 0.0  # seconds since the epoch, when it was begun
    record: dict = field(default_factory=dict)  # as it stands in the journal


@dataclass
class Replay:
    """What a journal adds to a checkpoint."""

    snapshot: Snapshot
    interrupted: list[Interrupted] = field(default_factory=list)


def replay(snapshot: Snapshot, records: list[dict], opener: Callable[[str], str]) -> Replay:
    """Apply journal records to a checkpoint's snapshot."""
    table: dict[tuple[str, bool, str], Resource] = {_key(item): item for item in snapshot.resources}
    under_way: dict[tuple, Interrupted] = {}
    for record in records:
        kind = record.get("kind")
        if kind == "alias":
            table = _renamed(table, record["old"], record["new"])
            continue
        resource = Resource.from_json(record["resource"], opener)
        mark = (record["op"], resource.urn, resource.id if record["op"].startswith("delete") else "")
        if kind == "begin":
            under_way[mark] = Interrupted(record["op"], resource, record.get("time", 0.0), record)
            continue
        under_way.pop(mark, None)
        if kind == "failed":
            continue
        if kind == "gone":
            table.pop(_key(resource), None)
        else:
            if resource.delete:
                table.pop((resource.urn, False, ""), None)
            table[_key(resource)] = resource
    resources = in_dependency_order(list(table.values()))
    merged = Snapshot(resources, snapshot.pending, snapshot.salt, snapshot.metadata)
    return Replay(merged, list(under_way.values()))


def _renamed(table: dict, old: str, new: str) -> dict:
    """The table with a resource known by another URN: it may have been registered without any change to it."""
    renamed = table.pop((old, False, ""), None)
    table = {key: item.renamed({old: new}) for key, item in table.items()}
    if renamed is not None:
        table[(new, False, "")] = renamed.known_as(new)
    return table


def _key(resource: Resource) -> tuple[str, bool, str]:
    return (resource.urn, resource.delete, resource.id if resource.delete else "")


def in_dependency_order(resources: list[Resource]) -> list[Resource]:
    """The resources, each after those it needs, otherwise in the order given; links to nothing are dropped."""
    live = {item.urn: item for item in resources if not item.delete}
    result: list[Resource] = []
    state: dict[int, bool] = {}

    def place(item: Resource) -> None:
        stack = [(item, iter(item.links()))]
        state[id(item)] = False
        while stack:
            current, links = stack[-1]
            for link in links:
                need = live.get(link)
                if need is not None and id(need) not in state:
                    state[id(need)] = False
                    stack.append((need, iter(need.links())))
                    break
            else:
                stack.pop()
                state[id(current)] = True
                result.append(current)

    for item in resources:
        if id(item) not in state:
            place(item)
    return [_pruned(item, live) for item in result]


def _pruned(item: Resource, live: dict[str, Resource]) -> Resource:
    dangling = [link for link in item.links() if link not in live]
    if not dangling:
        return item
    return item.copy(
        parent=item.parent if item.parent in live else "",
        deleted_with=item.deleted_with if item.deleted_with in live else "",
        dependencies=[urn for urn in item.dependencies if urn in live],
        property_dependencies={
            key: [urn for urn in urns if urn in live] for key, urns in item.property_dependencies.items()
        },
    )

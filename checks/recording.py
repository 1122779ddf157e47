"""What probes hand over: one document a host, all of a run together in a recording (kept beside the report)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.verdicts import Measured, NoData, Reading, Unreachable
from checks.wording import amount
from inventory.errors import Fault, RegisterError

LONGEST_VALUE = 400  # characters of one value in the evidence; the whole is in the recording


class Document(BaseModel):
    """One host's probe: when it was taken (UTC), how long it took (seconds), and what it found.

    A part of `data` that could not be asked is `{"unreachable": "<who, what was seen>"}`, one that answered nonsense
    is `{"fault": "<what>"}`. `unreachable` on the document itself means the whole host.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    taken: datetime
    seconds: float = 0
    unreachable: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Recording(BaseModel):
    """All probes of one run for one tenant. `suite`: the release that asked, empty in recordings of 0.1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: str
    ksh: str
    suite: str = ""
    centre: Document
    tenant: Document
    workstations: dict[str, Document]

    @property
    def documents(self) -> list[Document]:
        """Every host's probe."""
        return [self.centre, self.tenant, *self.workstations.values()]

    @property
    def taken(self) -> datetime:
        """When the last host was asked (UTC)."""
        return max(document.taken for document in self.documents)

    def text(self) -> str:
        """The recording as the file that is kept."""
        return self.model_dump_json(indent=1)

    @classmethod
    def read(cls, path: Path) -> Recording:
        """A recording from its JSON file; RegisterError when it is none."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValidationError) as error:
            remedy = "Give a probes.json that python -m checks wrote"
            raise RegisterError([Fault(path, "recording", str(error)[:300], "cannot be read", remedy)]) from error

    @classmethod
    def read_tenant(cls, path: Path, environment: str, ksh: str) -> Recording:
        """The recording of one tenant from its JSON file; RegisterError when it is another's."""
        recording = cls.read(path)
        if (recording.environment, recording.ksh) != (environment, ksh):
            value = f"{recording.environment}/{recording.ksh}"
            problem = f"is not of {environment}/{ksh}"
            raise RegisterError([Fault(path, "environment/ksh", value, problem, "Give this tenant's recording")])
        return recording


class View:
    """A probe document as assertions read it: what is absent raises, what is read becomes evidence."""

    def __init__(self, document: Document, lifetime_seconds: float | None = None, now: datetime | None = None):
        self._document = document
        self._lifetime = lifetime_seconds
        self._now = now or datetime.now(UTC)
        self.evidence: list[Reading] = []
        self.measured: Measured | None = None

    @property
    def taken(self) -> datetime:
        """When the host was asked (UTC)."""
        return self._document.taken

    def measure(self, value: float | str, unit: str = "") -> None:
        """Say what was measured, a number with its unit or a few Hungarian words; it stands beside the threshold."""
        if isinstance(value, str):
            self.measured = Measured(value)
        else:
            self.measured = Measured(amount(value, unit), round(float(value), 3), unit)

    def read(self, *path: str) -> Any:
        """The value at `path`. Raises Unreachable or NoData, naming the place, when there is none (null is none)."""
        value = self.read_optional(*path)
        if value is None:
            raise NoData(f"nincs adat: {_place(path)}")
        return value

    def read_optional(self, *path: str) -> Any:
        """Like `read`, for a value that may rightly be null; its key must exist all the same."""
        value = self._find(*path)
        self.evidence.append(Reading(_place(path), _short(value)))
        return value

    def names(self, *path: str) -> list[str]:
        """Names of what stands at `path`, sorted; its values are read, and become evidence, one by one."""
        value = self._find(*path)
        if not isinstance(value, dict):
            raise NoData(f"nincs adat: {_place(path)}")
        return sorted(value)

    def _find(self, *path: str) -> Any:
        self._require_fresh()
        value: Any = self._document.data
        for depth, key in enumerate(path):
            _require_answer(value, path[:depth])
            if not isinstance(value, dict) or key not in value:
                raise NoData(f"nincs adat: {_place(path[: depth + 1])}")
            value = value[key]
        _require_answer(value, path)
        return value

    def _require_fresh(self) -> None:
        if self._document.unreachable is not None:
            raise Unreachable(f"{self._document.host} nem válaszol: {self._document.unreachable}")
        age = (self._now - self._document.taken).total_seconds()
        if self._lifetime is not None and age > self._lifetime:
            raise NoData(f"az adat elavult: {age / 60:.0f} perce készült, érvényessége {self._lifetime / 60:.0f} perc")


def _require_answer(value: Any, path: Iterable[str]) -> None:
    if isinstance(value, dict) and "unreachable" in value:
        raise Unreachable(f"{_place(path)} nem válaszol: {value['unreachable']}")
    if isinstance(value, dict) and "fault" in value:
        raise NoData(f"{_place(path)} nem mérhető: {value['fault']}")


def _place(path: Iterable[str]) -> str:
    return " › ".join(path) or "mérés"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} karakter)"

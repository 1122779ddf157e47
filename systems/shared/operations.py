"""What an app server is told of the hosting's daily life: `operations.json`, from the stacks that write it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

OpenDays = Mapping[int, tuple[dt.time, dt.time]]  # day of the week, Monday = 0 → from, until


@dataclass(frozen=True)
class Maintenance:
    """Work on the hosting that the register announces. Times have a zone."""

    since: dt.datetime
    until: dt.datetime
    text: str
    emergency: bool


@dataclass(frozen=True)
class Operations:
    """`outage_minutes`: of opening hours that an outage may last. `training`: KSH codes of the cell's municipalities
    that are for training and hold invented data. `message_days`: after which a message that was handled is emptied.
    """

    opening_hours: OpenDays
    outage_minutes: int
    maintenance: tuple[Maintenance, ...]
    training: tuple[str, ...]
    message_days: int

    def to_json(self) -> str:
        """The file's text."""
        content = {
            "outage_minutes": self.outage_minutes,
            "opening_hours": {
                str(day): [f"{begin:%H:%M}", f"{end:%H:%M}"] for day, (begin, end) in self.opening_hours.items()
            },
            "maintenance": [
                {"since": m.since.isoformat(), "until": m.until.isoformat(), "text": m.text, "emergency": m.emergency}
                for m in self.maintenance
            ],
            "training": list(self.training),
            "message_days": self.message_days,
        }
        return json.dumps(content, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Operations:
        """From the file's text. ValueError says what is wrong with it."""
        try:
            content = json.loads(text)
            return cls(
                opening_hours={
                    int(day): (dt.time.fromisoformat(begin), dt.time.fromisoformat(end))
                    for day, (begin, end) in content["opening_hours"].items()
                },
                outage_minutes=int(content["outage_minutes"]),
                maintenance=tuple(_maintenance(entry) for entry in content["maintenance"]),
                training=tuple(content["training"]),
                message_days=int(content["message_days"]),
            )
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            expected = "wanted JSON with opening_hours, outage_minutes, maintenance, training and message_days"
            raise ValueError(f"{expected}: {error!r}") from error


def _maintenance(entry: Mapping[str, object]) -> Maintenance:
    since, until = (dt.datetime.fromisoformat(str(entry[name])) for name in ("since", "until"))
    return Maintenance(since, until, str(entry["text"]), bool(entry["emergency"]))

"""Moments as operators write them, which is Budapest time unless they say another zone, and as they are shown: in both.

Servers run in UTC; clerks, screens and reports speak Budapest time. A moment read in the machine's own zone brought
back an hour too much.
"""

from __future__ import annotations

from datetime import UTC, datetime

from systems.shared.workdays import ZONE


class MomentFault(ValueError):
    """What is written is no moment, or more than one; the message says what was seen and what is wanted."""


def read(text: str) -> datetime:
    """The moment of `2026-11-23 14:00:00` (Budapest time) or of `2026-11-23T14:00:00+01:00`, in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MomentFault(
            f"wanted a moment, as 2026-11-23 14:00:00 (Budapest time) or 2026-11-23T14:00:00+01:00; seen: {text!r}"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else _of_budapest(moment)


def _of_budapest(local: datetime) -> datetime:
    """A local time as a moment. Once a year an hour is there twice, and once it is not there."""
    earlier, later = (local.replace(tzinfo=ZONE, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() == later.utcoffset():
        return earlier.astimezone(UTC)
    if _exists(earlier):
        raise MomentFault(
            f"{local} is there twice in Budapest, since clocks were put back that night; wanted one of "
            f"{_text(earlier)} and {_text(later)}"
        )
    # Read with the offset before the change it lies after it, and the other way round.
    before, after = later.astimezone(UTC).astimezone(ZONE), earlier.astimezone(UTC).astimezone(ZONE)
    raise MomentFault(
        f"{local} is not there in Budapest, since clocks were put forward that night; wanted one of "
        f"{_text(before)} and {_text(after)}, or another"
    )


def _exists(moment: datetime) -> bool:
    return moment.astimezone(UTC).astimezone(ZONE).replace(tzinfo=None) == moment.replace(tzinfo=None)


def _text(moment: datetime) -> str:
    """A moment as it can be given, with its reading in UTC."""
    return f"{moment.isoformat()} (= {moment.astimezone(UTC):%H:%M} UTC)"


def describe(moment: datetime) -> str:
    """`2026-11-23 14:00:00 Budapest = 13:00:00 UTC`, with UTC's day where it is another."""
    local, universal = moment.astimezone(ZONE), moment.astimezone(UTC)
    day = "" if local.date() == universal.date() else f"{universal:%Y-%m-%d} "
    seconds = "" if universal.microsecond < 1000 else f".{universal.microsecond // 1000:03}"
    return f"{local:%Y-%m-%d %H:%M:%S}{seconds} Budapest = {day}{universal:%H:%M:%S}{seconds} UTC"

"""One line of the end: what was judged, how it came out, the figures, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN = 40  # lines of what is wrong that are printed; the report's file has all


@dataclass(frozen=True)
class Verdict:
    """`good`: None when the run was too short to tell."""

    title: str
    good: bool | None
    figures: str
    faults: list[str] = field(default_factory=list)

    @property
    def word(self) -> str:
        return {True: "good", False: "BAD", None: "not judged"}[self.good]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def table(verdicts: list[Verdict]) -> str:
    """All verdicts as text, each with its first faults below it."""
    width = max(len(verdict.title) for verdict in verdicts)
    lines = []
    for verdict in verdicts:
        lines.append(f"{verdict.title:<{width}}  {verdict.word:<10}  {verdict.figures}")
        lines += [f"    {fault[:400]}" for fault in verdict.faults[:SHOWN]]
        if len(verdict.faults) > SHOWN:
            lines.append(f"    … and {len(verdict.faults) - SHOWN} more in the report")
    return "\n".join(lines)


def exit_code(verdicts: list[Verdict]) -> int:
    """1 when one is bad, or there is none at all."""
    return 1 if not verdicts or any(verdict.good is False for verdict in verdicts) else 0

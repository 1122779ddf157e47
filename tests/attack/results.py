"""Results of a run: the table at its end, and the same as JSON among the environment's reports."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from inventory import paths

HELD, FELL, UNTRIED = "held", "fell", "untried"


@dataclass(frozen=True)
class Row:
    """One test's result. `tried`, `held`, `fell`: numbers of tries; `evidence`: of what fell, or why it is untried.

    `counts_as`: rows with the same one are values of one attack.
    """

    id: str
    area: str
    attack: str
    result: str
    tried: int
    held: int
    fell: int
    seconds: float
    counts_as: str
    evidence: str = ""


def write(rows: list[Row], env: str) -> Path:
    """The rows as `attacks.json`."""
    folder = paths.reports_dir(env)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "attacks.json"
    content = {"environment": env, "count": totals(rows), "attacks": [asdict(row) for row in rows]}
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return file


def totals(rows: list[Row]) -> dict[str, int]:
    """Distinct attacks by the worst result of their tests, and all tries."""
    worst: dict[str, str] = {}
    for row in rows:
        worst[row.counts_as] = max(row.result, worst.get(row.counts_as, HELD), key=(HELD, UNTRIED, FELL).index)
    counts = Counter(worst.values())
    return {"attacks": len(worst), "tests": len(rows), "tries": sum(row.tried for row in rows)} | {
        result: counts[result] for result in (HELD, FELL, UNTRIED)
    }


def table(rows: list[Row]) -> list[str]:
    """Lines for the terminal: every attack, then each area, then the sum."""
    lines = [f"{'id':<26} {'area':<13} {'tried':>5} {'held':>5} {'fell':>5}  attack"]
    for row in rows:
        sign = {HELD: " ", FELL: "!", UNTRIED: "?"}[row.result]
        lines.append(f"{row.id:<26} {row.area:<13} {row.tried:>5} {row.held:>5} {row.fell:>5} {sign}{row.attack[:110]}")
        if row.result != HELD:
            lines.append(f"{'':<26} {row.result.upper()}: {row.evidence[:400]}")
    lines.append("")
    for area in dict.fromkeys(row.area for row in rows):
        lines.append(f"{area:<13} {_sum([row for row in rows if row.area == area])}")
    lines.append(f"{'all':<13} {_sum(rows)}")
    return lines


def _sum(rows: list[Row]) -> str:
    count = totals(rows)
    return (
        f"{count['attacks']:>4} attacks in {count['tests']} tests, {count['tries']:>5} tries: {count[HELD]} held, "
        f"{count[FELL]} fell, {count[UNTRIED]} untried"
    )

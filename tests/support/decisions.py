"""The form of decision records, and of their index: each function gives one line for each fault that it finds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

FORM = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>\S.*)\n\n"
    r"- Status: (?P<status>(proposed|accepted|rejected|superseded)\b(?:.|\n(?!\n|- ))*)\n"
    r"- Date: (?P<date>\d{4}-\d{2}-\d{2})\n\n## Context\n"
)
SECTIONS = (["Context", "Decision", "Consequences"], ["Context", "Decision", "Measured", "Consequences"])
ROW = re.compile(
    r"^\| \[(?P<number>\d{4})\]\((?P<file>[^)]+)\) "
    r"\| (?P<title>[^|]+) \| (?P<status>[^|]+) \| (?P<date>[^|]+) \| [^|]+ \|$",
    re.M,
)


def records(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.md") if file.name != "README.md")


def formless(folder: Path) -> Iterator[str]:
    """Records whose head, sections or file name are not as they should be."""
    for file in records(folder):
        text = file.read_text(encoding="utf-8")
        match = FORM.match(text)
        if not match:
            yield f"{file.name}: wanted '# NNNN. Title', '- Status: …', '- Date: YYYY-MM-DD', '## Context'"
            continue
        if not re.fullmatch(rf"{match['number']}(-[a-z0-9]+)+\.md", file.name):
            yield f"{file.name}: wanted {match['number']}-<words>.md, as its title says"
        sections = re.findall(r"^## (.+)$", text, re.M)
        if sections not in SECTIONS:
            expected = f"{', '.join(SECTIONS[1])} (Measured may be absent)"
            yield f"{file.name}: sections {', '.join(sections)}; wanted {expected}"
        for section in re.findall(r"^## .+\n\s*(?=^## |\Z)", text, re.M):
            yield f"{file.name}: {section.strip()} is empty"


def out_of_index(folder: Path) -> Iterator[str]:
    """Differences between the records and the table of README.md, and gaps in the numbers that it does not explain."""
    index = (folder / "README.md").read_text(encoding="utf-8")
    rows = {match["file"]: match for match in ROW.finditer(index)}
    if list(rows) != sorted(rows):
        yield "README.md: the rows are not in the order of the numbers"
    for name in rows.keys() - {file.name for file in records(folder)}:
        yield f"README.md: {name}: no such record"
    numbers = []
    for file in records(folder):
        match = FORM.match(file.read_text(encoding="utf-8"))
        if not match:
            continue
        numbers.append(int(match["number"]))
        row = rows.get(file.name)
        if not row:
            yield f"{file.name}: is not in the index"
            continue
        for field in ("number", "title", "date"):
            if row[field] != match[field]:
                yield f"{file.name}: {field} {match[field]!r}, but the index says {row[field]!r}"
        changes = set(re.findall(r"\[(\d{4})\]", match["status"]))
        claim = re.split(r"[ ,;]", row["status"])[0]
        if claim != re.split(r"[ ,;]", match["status"])[0]:
            yield f"{file.name}: status {match['status']!r}, but the index says {row['status']!r}"
        later = {number for number in changes if number > match["number"]}
        if later != set(re.findall(r"\d{4}", row["status"])):
            yield f"{file.name}: changed by {sorted(later) or 'none'}, but the index says {row['status']!r}"
        for number in changes:
            yield from _mutual(folder, match["number"], number)
    gaps = set(range(1, max(numbers, default=0) + 1)) - set(numbers)
    sentence = next((line for line in index.split("\n\n") if line.startswith("Numbers ")), "")
    claim = {int(number) for number in re.findall(r"\b\d{1,2}\b", sentence.partition(" carry ")[0])}
    if claim != gaps:
        yield f"README.md: explains numbers {sorted(claim)}, but {sorted(gaps)} are missing"


def _mutual(folder: Path, name: str, other: str) -> Iterator[str]:
    """A record that changes another is named in the other's status, and the other way round."""
    file = next(folder.glob(f"{other}-*.md"), None)
    match = FORM.match(file.read_text(encoding="utf-8")) if file else None
    if not match or f"[{name}]" not in match["status"]:
        yield f"{name}: its status names {other}, whose status does not name {name}"

"""Where a report is kept: each file whole or not at all, and a whole report never replaced by less."""

from __future__ import annotations

import json
from pathlib import Path

from checks.report.junit import junit
from checks.report.model import Report
from checks.report.page import html
from inventory import paths
from inventory.errors import Fault, RegisterError
from inventory.files import write_whole

PARTIAL = "partial"  # folder beside the whole report: runs of some checks, and replays
COLLECTED = "collected"  # folder beside it: recordings that nobody has judged


def folder_of(environment: str, ksh: str, part: str = "") -> Path:
    """Where reports of a municipality go by default."""
    return paths.reports_dir(environment) / ksh / part


def write(report: Report, recording: str, folder: Path, with_html: bool = True) -> list[Path]:
    """Write the report's files; their paths. A whole run asked of the hosts also gets a line in the history.

    RegisterError when less than such a run would replace one, or the folder cannot be written.
    """
    whole = report.scope == "whole" and report.source == "live"
    if not whole and _holds_a_whole_run(folder):
        problem = "holds the report of a whole run, which a partial run or a replay must not replace"
        raise RegisterError([Fault("--output", "folder", str(folder), problem, "Give --output another folder")])
    files = {"report.json": report.text(), "junit.xml": junit(report), "probes.json": recording}
    if with_html:
        files["report.html"] = html(report)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content, 0o644)
        if whole:
            with (folder / "history.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(_line(report), ensure_ascii=False) + "\n")
    except OSError as error:
        raise _unwritable(folder, error) from error
    return [folder / name for name in files]


def keep(recording: str, folder: Path) -> Path:
    """Write a recording alone; its path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "probes.json", recording, 0o644)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder / "probes.json"


def _line(report: Report) -> dict[str, object]:
    return {
        "taken": report.taken,
        "suite": report.suite,
        "ready": report.ready,
        "seconds": report.seconds,
        "verdicts": {f"{item.id}@{item.subject}": item.verdict for item in report.checks},
    }


def _holds_a_whole_run(folder: Path) -> bool:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if report.get("schema") == 1:
            return not report["partial"]
        return (report["scope"], report["source"]) == ("whole", "live")
    except (OSError, ValueError, LookupError, AttributeError):
        return False


def _unwritable(folder: Path, error: OSError) -> RegisterError:
    remedy = "Make it writable, or give --output another folder"
    return RegisterError([Fault("--output", "folder", str(folder), f"cannot be written ({error})", remedy)])

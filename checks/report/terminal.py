"""The report on an operator's terminal: a line a check, and what was seen where a promise does not hold."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from checks.catalogue import Catalogue
from checks.report.document import AREAS, TIERS
from checks.report.model import Report
from checks.verdicts import Verdict

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.UNREACHABLE: "bold magenta",
    Verdict.NO_DATA: "bold blue",
    Verdict.WAIVED: "yellow",
}


def console() -> Console:
    """The operator's terminal; wide enough for the table where there is none (a log, a pipe)."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=150)


def show(report: Report, console: Console) -> None:
    """Print the readiness table of one tenant."""
    municipality = report.municipality
    title = f"Readiness of {escape(municipality.name)} ({municipality.ksh}), environment {report.environment}"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("promise, and what was seen", ratio=1)
    table.add_column("measured", justify="right", max_width=28)
    table.add_column("limit", justify="right", no_wrap=True)
    part, last = None, ""
    for item in report.checks:
        if part not in (None, (item.tier, item.subject)):
            table.add_section()
        if part != (item.tier, item.subject):
            table.add_row("", f"[bold]{item.tier} {escape(item.subject)}[/bold]", "")
        part = item.tier, item.subject
        style = STYLES[item.verdict]
        promise = escape(item.title) + ("" if item.mandatory else " [dim](optional)[/dim]")
        for message in (item.message, item.waiver):
            if message and message == last:
                promise += "\n[dim]for the same cause[/dim]"
            elif message:
                promise += f"\n[{style}]{escape(message)}[/{style}]"
        last = item.message
        if not item.accepted:
            promise += f"\n[dim]{escape(item.runbook)}[/dim]"
        measured = escape(item.measured.shown) if item.measured else ""
        limit = item.threshold.amount.shown if item.threshold else ""
        table.add_row(f"[{style}]{item.verdict}[/{style}]", item.id, promise, measured, limit)
    console.print(table)
    _sum_up(report, console)


def _sum_up(report: Report, console: Console) -> None:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in report.counts.items() if count)
    console.print(f"{len(report.checks)} checks in {report.seconds} s: {counts}")
    if report.source == "recording":
        console.print(f"A recording of {report.taken}, judged as of {report.as_of}; suite {report.suite}")
    if report.partial:
        console.print("[bold]PARTIAL[/bold]: only some checks ran, so nothing is said about readiness")
    elif report.ready:
        console.print("[bold green]READY[/bold green]: every mandatory check is PASS or WAIVED")
    else:
        deciding = [check for check in report.judged if not check.accepted]
        unknown = sum(check.verdict != Verdict.FAIL for check in deciding)
        split = f"{len(deciding) - unknown} broken, {unknown} not measured"
        console.print(f"[bold red]NOT READY[/bold red]: {len(deciding)} mandatory checks do not hold ({split})")
        for cause in report.todo:  # once more, by cause, at the end: where whoever reads a log looks first
            names = ", ".join(check.id for check in cause.checks if check.mandatory)
            if names and cause.verdict != Verdict.WAIVED:
                style = STYLES[cause.verdict]
                line = escape(f"{names}: {cause.message}")
                console.print(f" [{style}]{cause.verdict}[/{style}] {line}", soft_wrap=True, highlight=False)


def show_catalogue(catalogue: Catalogue, console: Console) -> None:
    """Print every check with its clause and threshold."""
    table = Table(header_style="bold")
    for column in ("check", "about", "mandatory", "clause", "threshold", "lifetime", "promise"):
        table.add_column(column, overflow="fold", no_wrap=column == "check")
    for check in catalogue:
        limit = catalogue.limit(check)
        table.add_row(
            check.id,
            f"{TIERS[check.tier]}, {AREAS[check.area]}",
            "yes" if check.mandatory else "no",
            check.clause,
            f"{limit.value:g} {limit.unit}" if limit else "",
            check.lifetime,
            escape(check.title),
        )
    console.print(table)

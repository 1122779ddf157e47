"""The report on an operator's terminal: a line a check, and what was seen where a promise does not hold."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from checks.catalogue import Catalogue
from checks.report.document import AREAS, TIERS
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
    found = Console()
    return found if found.is_terminal else Console(width=150)


def show(report: dict, console: Console) -> None:
    """Print the readiness table of one tenant."""
    municipality = report["municipality"]
    title = f"Readiness of {escape(municipality['name'])} ({municipality['ksh']}), environment {report['environment']}"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("promise, and what was seen", ratio=1)
    part, last = None, ""
    for item in report["checks"]:
        if part not in (None, (item["tier"], item["subject"])):
            table.add_section()
        if part != (item["tier"], item["subject"]):
            table.add_row("", f"[bold]{item['tier']} {escape(item['subject'])}[/bold]", "")
        part = item["tier"], item["subject"]
        style = STYLES[Verdict(item["verdict"])]
        promise = escape(item["title"]) + ("" if item["mandatory"] else " [dim](optional)[/dim]")
        for said in (item["message"], item["waiver"]):
            if said and said == last:
                promise += "\n[dim]for the same cause[/dim]"
            elif said:
                promise += f"\n[{style}]{escape(said)}[/{style}]"
        last = item["message"]
        if not item["accepted"]:
            promise += f"\n[dim]{escape(item['runbook'])}[/dim]"
        table.add_row(f"[{style}]{item['verdict']}[/{style}]", item["id"], promise)
    console.print(table)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in report["counts"].items() if count)
    console.print(f"{len(report['checks'])} checks in {report['seconds']} s: {counts}")
    if report["partial"]:
        console.print("[bold]PARTIAL[/bold]: only some checks ran, so nothing is said about readiness")
    elif report["ready"]:
        console.print("[bold green]READY[/bold green]: every mandatory check is PASS or WAIVED")
    else:
        console.print(f"[bold red]NOT READY[/bold red]: {len(report['blocking'])} mandatory checks do not hold")
        for cause in report["todo"]:  # once more, by cause, at the end: where whoever reads a log looks first
            named = ", ".join(check["id"] for check in cause["checks"] if check["mandatory"])
            if named and cause["verdict"] != Verdict.WAIVED:
                style = STYLES[Verdict(cause["verdict"])]
                told = escape(f"{named}: {cause['message']}")
                console.print(f" [{style}]{cause['verdict']}[/{style}] {told}", soft_wrap=True, highlight=False)


def show_catalogue(catalogue: Catalogue, console: Console) -> None:
    """Print every check with its clause and threshold."""
    table = Table(header_style="bold")
    for column in ("check", "about", "mandatory", "clause", "threshold", "lifetime", "promise"):
        table.add_column(column, overflow="fold")
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

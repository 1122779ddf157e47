"""A package's course: every system concerned checks its part, somebody approves, all check again, all write.

Each system writes in its own transaction, so "all or none" depends on the second check: no system writes before every
one has confirmed, after the approval, that its part can be written. A part that its system refuses even then, because
something changed in those seconds, leaves the package partly imported, which is shown and can be completed.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from systems import tenancy
from systems.chain import send
from systems.migration import packages
from systems.migration.models import Package, Part
from systems.shared import parts
from systems.shared.bodies import PACKAGE


def importing_systems() -> set[str]:
    """Systems of the municipality that import data."""
    ksh = tenancy.current().ksh
    return {entry.id for entry in settings.ASP.catalogue if entry.serves(ksh) and parts.imports(entry.id)}


def read(content: bytes) -> packages.Package:
    """A package's content for the current municipality; PackageFault when it is incomplete or wrong."""
    return packages.read(content, tenancy.current().ksh, importing_systems(), PACKAGE)


def begin(package: Package, content: packages.Package) -> None:
    """Save a package and request a check from every system concerned."""
    with transaction.atomic():
        package.balances = content.balances
        package.save()
        _ask(package, "import-check", content, [Part(package=package, system=system) for system in content.paths])


def record_report(pk: int, system: str, report: dict) -> None:
    """Store a system's report; after the last one, the package is clean or faulty, or an approved one is written."""
    package = _lock(pk)
    part = package.parts.get(system=system)
    part.report, part.balance_faults = report, balance_faults(package.balances.get(system, {}), report["totals"])
    part.save()
    parts = list(package.parts.all())
    if any(p.report is None for p in parts):
        return
    silent = set(package.balances) - {p.system for p in parts}
    clean = all(p.clean for p in parts) and not silent
    if package.state == Package.State.CHECKING:
        _set_state(package, Package.State.CLEAN if clean else Package.State.FAULTY)
    elif package.state == Package.State.APPROVED:
        _set_state(package, Package.State.APPLYING if clean else Package.State.FAILED)
        if clean:
            _ask(package, "import-apply", read(bytes(package.content)), parts)


def balance_faults(balances: dict[str, int], totals: dict[str, int]) -> list[str]:
    """Differences between the manifest's balances and the totals of the rows; the manifest must have every total."""
    return [
        f"{name}: a jegyzék szerint {balances.get(name, 'nincs')}, az adatok összege {totals.get(name, 'nincs')}"
        for name in sorted({*balances, *totals})
        if balances.get(name) != totals.get(name)
    ]


def approve(pk: int, clerk: str) -> bool:
    """Start importing a clean package: first every system checks again. False when it is not clean, or no longer."""
    with transaction.atomic():
        package = _lock(pk)
        if package.state != Package.State.CLEAN:
            return False
        package.applied_by, package.applied_at = clerk, timezone.now()
        package.save(update_fields=["applied_by", "applied_at"])
        _set_state(package, Package.State.APPROVED)
        _ask(package, "import-check", read(bytes(package.content)), package.parts.all())
    return True


def resume(pk: int) -> bool:
    """Ask the systems again that refused what others have written. False when the package is not partly imported."""
    with transaction.atomic():
        package = _lock(pk)
        if package.state != Package.State.PARTIAL:
            return False
        _set_state(package, Package.State.APPLYING)
        _ask(package, "import-apply", read(bytes(package.content)), package.parts.filter(applied=False))
    return True


def record_result(pk: int, system: str, report: dict) -> None:
    """Store that a system wrote everything, or nothing because something has changed since its last check."""
    package = _lock(pk)
    part = package.parts.get(system=system)
    part.report, part.applied = report, not report["faults_count"]
    part.save()
    parts = list(package.parts.all())
    if any(p.report is None for p in parts):
        return
    if all(p.applied for p in parts):
        _set_state(package, Package.State.APPLIED)
    else:
        _set_state(package, Package.State.PARTIAL if any(p.applied for p in parts) else Package.State.FAILED)


def _lock(pk: int) -> Package:
    return Package.objects.select_for_update().defer("content").get(pk=pk)


def _set_state(package: Package, state: Package.State) -> None:
    package.state = state
    package.save(update_fields=["state"])


def _ask(package: Package, topic: str, content: packages.Package, parts: Iterable[Part]) -> None:
    """Send a request to systems, and discard their earlier reports."""
    for part in parts:
        part.report = None
        part.save()
        body = {"package": package.pk, "files": content.rows(part.system)}
        send(part.system, topic, body, key=f"package/{package.pk}")

"""A package's way: every system concerned checks its part; somebody approves; all check once more; all write.

Each system writes in its own transaction, so "all or none" rests on the second check: no system writes before every one
has said again, after the approval, that its part can be written. A part that its system refuses even then, because
something changed in those seconds, leaves the package partly taken over, which is said and can be completed.
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


def taking() -> set[str]:
    """Systems that the municipality has and that take over data."""
    ksh = tenancy.current().ksh
    return {entry.id for entry in settings.ASP.catalogue if entry.serves(ksh) and parts.imports(entry.id)}


def read(content: bytes) -> packages.Content:
    """A package's content for the current municipality; PackageFault when it is not whole and right."""
    return packages.read(content, tenancy.current().ksh, taking(), packages.LARGEST)


def begin(package: Package) -> None:
    """Save a package and ask every system concerned to check its files."""
    with transaction.atomic():
        content = read(package.content)
        package.balances = content.balances
        package.save()
        _ask(package, "import-check", content, [Part(package=package, system=system) for system in content.files])


def reported(package: int, system: str, report: dict) -> None:
    """A system's report came; the last one says whether the package is clean, or an approved one is now written."""
    whole = _held(package)
    part = whole.parts.get(system=system)
    part.report, part.balance_faults = report, balance_faults(whole.balances.get(system, {}), report["totals"])
    part.save()
    parts = list(whole.parts.all())
    if any(p.report is None for p in parts):
        return
    unheard = set(whole.balances) - {p.system for p in parts}
    clean = all(p.clean for p in parts) and not unheard
    if whole.state == Package.State.CHECKING:
        _turn(whole, Package.State.CLEAN if clean else Package.State.FAULTY)
    elif whole.state == Package.State.APPROVED:
        _turn(whole, Package.State.APPLYING if clean else Package.State.FAILED)
        if clean:
            _ask(whole, "import-apply", read(bytes(whole.content)), parts)


def balance_faults(promised: dict[str, int], totals: dict[str, int]) -> list[str]:
    """Where the manifest's balances and the sums of the rows differ; every total of a system must be promised."""
    return [
        f"{name}: a jegyzék szerint {promised.get(name, 'nincs')}, az adatok összege {totals.get(name, 'nincs')}"
        for name in sorted({*promised, *totals})
        if promised.get(name) != totals.get(name)
    ]


def approve(package: int, clerk: str) -> bool:
    """Have a clean package taken over: first every system checks again. False when it is not clean (any more)."""
    with transaction.atomic():
        whole = _held(package)
        if whole.state != Package.State.CLEAN:
            return False
        whole.applied_by, whole.applied_at = clerk, timezone.now()
        whole.save(update_fields=["applied_by", "applied_at"])
        _turn(whole, Package.State.APPROVED)
        _ask(whole, "import-check", read(bytes(whole.content)), whole.parts.all())
    return True


def resume(package: int) -> bool:
    """Ask those systems again that refused what others have written. False when it is no such package (any more)."""
    with transaction.atomic():
        whole = _held(package)
        if whole.state != Package.State.PARTIAL:
            return False
        _turn(whole, Package.State.APPLYING)
        _ask(whole, "import-apply", read(bytes(whole.content)), whole.parts.filter(applied=False))
    return True


def done(package: int, system: str, report: dict) -> None:
    """A system wrote everything, or nothing because something changed since its last check."""
    whole = _held(package)
    part = whole.parts.get(system=system)
    part.report, part.applied = report, not report["faults_count"]
    part.save()
    parts = list(whole.parts.all())
    if any(p.report is None for p in parts):
        return
    if all(p.applied for p in parts):
        _turn(whole, Package.State.APPLIED)
    else:
        _turn(whole, Package.State.PARTIAL if any(p.applied for p in parts) else Package.State.FAILED)


def _held(package: int) -> Package:
    return Package.objects.select_for_update().defer("content").get(pk=package)


def _turn(package: Package, state: Package.State) -> None:
    package.state = state
    package.save(update_fields=["state"])


def _ask(package: Package, topic: str, content: packages.Content, parts: Iterable[Part]) -> None:
    """What these systems said before counts no more: they are waited for."""
    for part in parts:
        part.report = None
        part.save()
        body = {"package": package.pk, "files": content.files[part.system]}
        send(part.system, topic, body, key=f"package/{package.pk}")

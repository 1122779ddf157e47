"""A package's way: asked of every system concerned, judged when all have answered, taken over by all or by none."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from systems.chain import send
from systems.migration.models import Package, Part
from systems.migration.packages import Content


def begin(package: Package, content: Content) -> None:
    """Save a package and ask every system concerned to check its files."""
    with transaction.atomic():
        package.balances = content.balances
        package.save()
        for system, files in content.files.items():
            Part.objects.create(package=package, system=system)
            send(system, "import-check", {"package": package.pk, "files": files}, key=f"package/{package.pk}")


def reported(package: int, system: str, report: dict) -> None:
    """A system's report came; when it was the last, the package is clean or faulty."""
    whole = Package.objects.select_for_update().get(pk=package)
    part = whole.parts.get(system=system)
    part.report, part.balance_faults = report, balance_faults(whole.balances.get(system, {}), report["totals"])
    part.save()
    parts = list(whole.parts.all())
    if whole.state == Package.State.CHECKING and all(p.report is not None for p in parts):
        unheard = sorted(set(whole.balances) - {p.system for p in parts})
        clean = all(p.clean for p in parts) and not unheard
        whole.state = Package.State.CLEAN if clean else Package.State.FAULTY
        whole.save(update_fields=["state"])


def balance_faults(promised: dict[str, int], totals: dict[str, int]) -> list[str]:
    """Where the manifest's balances and the sums of the rows differ; every total of a system must be promised."""
    return [
        f"{name}: a jegyzék szerint {promised.get(name, 'nincs')}, az adatok összege {totals.get(name, 'nincs')}"
        for name in sorted({*promised, *totals})
        if promised.get(name) != totals.get(name)
    ]


def apply(package: Package, content: Content, clerk: str) -> bool:
    """Have a clean package taken over; False when it is not clean (any more)."""
    with transaction.atomic():
        locked = Package.objects.select_for_update().get(pk=package.pk)
        if locked.state != Package.State.CLEAN:
            return False
        locked.state, locked.applied_by, locked.applied_at = Package.State.APPLYING, clerk, timezone.now()
        locked.save(update_fields=["state", "applied_by", "applied_at"])
        for system, files in content.files.items():
            send(system, "import-apply", {"package": locked.pk, "files": files}, key=f"package/{locked.pk}")
    return True


def done(package: int, system: str, report: dict) -> None:
    """A system wrote everything, or nothing because something changed since the check."""
    whole = Package.objects.select_for_update().get(pk=package)
    part = whole.parts.get(system=system)
    part.report, part.applied = report, not report["faults_count"]
    part.save()
    if report["faults_count"]:
        whole.state = Package.State.FAILED
    elif whole.state == Package.State.APPLYING and all(p.applied for p in whole.parts.all()):
        whole.state = Package.State.APPLIED
    whole.save(update_fields=["state"])

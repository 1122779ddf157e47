"""An estate's way: taken up, handed over to the notary or closed; after either it is locked."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from systems.chain import send
from systems.core import facts
from systems.core.pdf import Pdf
from systems.hagyatek import deadline, inventory
from systems.hagyatek.completeness import findings
from systems.hagyatek.models import Estate, Handover, Notary, Part

FORMAT = "asp-hagyatek/1"
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file in a package, so that the same inventory makes the same bytes


class NotPossible(Exception):
    """What an estate does not allow any more, or not yet; the Hungarian message says why."""


def open_estate(pk: int) -> Estate:
    """An estate that may be changed, held until the transaction ends."""
    estate = Estate.objects.select_for_update().get(pk=pk)
    if estate.state != Estate.State.OPEN:
        raise NotPossible(f"Ez a leltár már nem módosítható: {estate.get_state_display()}.")
    return estate


def begin(**values: Any) -> Estate:
    """A new estate with its deadline; in the caller's transaction."""
    estate = Estate(**values)
    estate.due = deadline.of(estate.received_on)
    estate.save(force_insert=True)
    return estate


def change(pk: int, data: dict[str, Any]) -> None:
    """New data of the deceased; the deadline follows the day of knowledge."""
    with transaction.atomic():
        estate = open_estate(pk)
        for name, value in data.items():
            setattr(estate, name, value)
        estate.due = deadline.of(estate.received_on)
        estate.save()


def ask(pk: int, missing: str) -> None:
    """Ask whoever told for what is missing; a citizen sees it at their case."""
    with transaction.atomic():
        estate = open_estate(pk)
        estate.asked_for = missing
        estate.save()
        tell(estate, f"Hiánypótlás szükséges: {missing}")


def tell(estate: Estate, text: str) -> None:
    """Tell a citizen that their statement is being dealt with; nobody for an estate begun by hand."""
    if estate.submission is None:
        return
    body = {
        "submission": str(estate.submission),
        "status": "in-progress",
        "number": estate.number,
        "text": text,
        "at": timezone.now(),
    }
    send("elugy", "status", body, key=str(estate.submission))


def put(part: Part) -> bool:
    """Keep a new or changed heir, asset or debt; False when a new one was kept before (its token is known)."""
    with transaction.atomic():
        open_estate(part.estate_id)
        if part.pk is None and type(part).objects.filter(token=part.token).exists():
            return False
        part.save()
    return True


def take_out(part: Part) -> None:
    with transaction.atomic():
        open_estate(part.estate_id)
        part.delete()


def competent(estate: Estate) -> QuerySet[Notary]:
    """Notaries for whom the municipality and the month of death are in one of their areas."""
    month, town = estate.died.month, facts.of_tenant().name
    areas = {"areas__settlement": town, "areas__first_month__lte": month, "areas__last_month__gte": month}
    return Notary.objects.filter(active=True, **areas).distinct()


@dataclass(frozen=True)
class Giving:
    """To whom, when and how."""

    notary: Notary
    day: dt.date
    way: str
    note: str = ""


def hand_over(pk: int, giving: Giving, clerk: str) -> Handover:
    """Make the package, lock the estate, and tell the records system when it came as a citizen's form."""
    with transaction.atomic():
        estate = open_estate(pk)
        if missing := [finding.text for finding in findings(estate) if finding.blocking]:
            raise NotPossible(f"Nem adható át. {' '.join(missing)}")
        if giving.day < estate.received_on:
            raise NotPossible("Az átadás napja nem lehet korábbi a tudomásszerzés napjánál.")
        if not giving.note and not competent(estate).filter(pk=giving.notary.pk).exists():
            raise NotPossible("A közjegyző a nyilvántartás szerint nem illetékes; a megjegyzésben indokolni kell.")
        content = package(estate, giving)
        made = Handover.objects.create(
            estate=estate,
            **vars(giving),
            package=content,
            sha256=hashlib.sha256(content).hexdigest(),
            made_by=clerk,
        )
        text = (
            f"A hagyatéki leltárt elkészítettük, és {giving.day:%Y. %m. %d.} napján átadtuk {giving.notary.name} "
            f"közjegyzőnek ({giving.notary.seat}). A hagyatéki tárgyalásról a közjegyző értesíti."
        )
        _close(estate, Estate.State.HANDED_OVER, clerk, text, _notice(estate, made).content())
    return made


def close(pk: int, clerk: str, reason: str) -> None:
    """End an estate that is not for this office, or not needed, with a reason."""
    with transaction.atomic():
        estate = open_estate(pk)
        estate.reason = reason
        text = f"A leltározást átadás nélkül lezártuk. Indok: {reason}"
        _close(estate, Estate.State.CLOSED, clerk, text, None)


def package(estate: Estate, giving: Giving) -> bytes:
    """A zip of the inventory as PDF and XML, and a manifest with the SHA-256 of both."""
    files = {"leltar.pdf": inventory.pdf(estate, giving.notary).content(), "leltar.xml": inventory.xml(estate)}
    manifest = {
        "format": FORMAT,
        "number": estate.number,
        "from": facts.of_tenant().name,
        "to": {"name": giving.notary.name, "seat": giving.notary.seat},
        "day": giving.day.isoformat(),
        "way": giving.way,
        "files": [
            {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
    }
    files["manifest.json"] = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _notice(estate: Estate, made: Handover) -> Pdf:
    """For whoever told: when and to whom, nothing of what others inherit."""
    return Pdf("Értesítés hagyatéki leltár átadásáról", estate.number).pairs(
        [
            ("Ügyszám", estate.number),
            ("Közjegyző", made.notary.name),
            ("Székhely", made.notary.seat),
            ("Iroda", made.notary.address),
            ("Átadás napja", made.day),
            ("Átadás módja", made.get_way_display()),
        ]
    )


def _close(estate: Estate, state: str, clerk: str, text: str, document: bytes | None) -> None:
    estate.state, estate.closed_by, estate.closed_at = state, clerk, timezone.now()
    estate.save()
    if estate.submission is None:
        return
    body = {
        "submission": str(estate.submission),
        "number": estate.number,
        "outcome": "accepted" if state == Estate.State.HANDED_OVER else "rejected",
        "text": text,
        "decided_by": clerk,
        "document": base64.b64encode(document).decode() if document else None,
    }
    send("irat", "decision", body, key=str(estate.submission))

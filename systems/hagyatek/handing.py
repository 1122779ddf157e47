"""The course of an estate: opened, then handed over to the notary or closed, which locks it."""

from __future__ import annotations

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

from systems.core import facts
from systems.core.errors import NotPossible
from systems.core.pdf import Pdf
from systems.exchange import cases
from systems.hagyatek import deadline, inventory
from systems.hagyatek.completeness import findings
from systems.hagyatek.models import Estate, Handover, Notary, Part

FORMAT = "asp-hagyatek/1"
_MOMENT = (1980, 1, 1, 0, 0, 0)  # time of every file in a package, so that the same inventory gives the same bytes


def open_estate(pk: int) -> Estate:
    """An estate that may be changed, locked until the transaction ends."""
    estate = Estate.objects.select_for_update().get(pk=pk)
    if estate.state != Estate.State.OPEN:
        raise NotPossible(f"Ez a leltár már nem módosítható: {estate.get_state_display()}.")
    return estate


def begin(**values: Any) -> Estate:
    """A new estate with its deadline; in the caller's transaction."""
    estate = Estate(**values)
    estate.due = deadline.handover_day(estate.received_on)
    estate.save(force_insert=True)
    return estate


def change(pk: int, data: dict[str, Any]) -> None:
    """Change data of the deceased; the deadline follows the day of notice."""
    with transaction.atomic():
        estate = open_estate(pk)
        for name, value in data.items():
            setattr(estate, name, value)
        estate.due = deadline.handover_day(estate.received_on)
        estate.save()


def ask_for(pk: int, missing: str) -> None:
    """Note what is missing from an open estate, and ask a citizen for it."""
    with transaction.atomic():
        cases.ask_for(open_estate(pk), missing)


def save_part(part: Part) -> bool:
    """Save a new or changed heir, asset or debt; False when a new one was saved before, with the same token."""
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
    """Notaries with an area that covers the municipality and the month of death."""
    month, town = estate.died.month, facts.of_tenant().name
    areas = {"areas__settlement": town, "areas__first_month__lte": month, "areas__last_month__gte": month}
    return Notary.objects.filter(active=True, **areas).distinct()


@dataclass(frozen=True)
class HandoverTerms:
    """To whom, when and how an inventory is handed over."""

    notary: Notary
    day: dt.date
    way: str
    note: str = ""


def hand_over(pk: int, terms: HandoverTerms, clerk: str) -> Handover:
    """Make the package, lock the estate, and send the decision to records if it came as a citizen's form."""
    with transaction.atomic():
        estate = open_estate(pk)
        if missing := [finding.text for finding in findings(estate) if finding.blocking]:
            raise NotPossible(f"Nem adható át. {' '.join(missing)}")
        if terms.day < estate.received_on:
            raise NotPossible("Az átadás napja nem lehet korábbi a tudomásszerzés napjánál.")
        if not terms.note and not competent(estate).filter(pk=terms.notary.pk).exists():
            raise NotPossible("A közjegyző a nyilvántartás szerint nem illetékes; a megjegyzésben indokolni kell.")
        content = package(estate, terms)
        handover = Handover.objects.create(
            estate=estate,
            **vars(terms),
            package=content,
            sha256=hashlib.sha256(content).hexdigest(),
            made_by=clerk,
        )
        text = (
            f"A hagyatéki leltárt elkészítettük, és {terms.day:%Y. %m. %d.} napján átadtuk {terms.notary.name} "
            f"közjegyzőnek ({terms.notary.seat}). A hagyatéki tárgyalásról a közjegyző értesíti."
        )
        _close(estate, Estate.State.HANDED_OVER, clerk, text, _notice(estate, handover).content())
    return handover


def close(pk: int, clerk: str, reason: str) -> None:
    """Close an estate that does not belong to this office or needs no inventory, with a reason."""
    with transaction.atomic():
        estate = open_estate(pk)
        estate.reason = reason
        text = f"A leltározást átadás nélkül lezártuk. Indok: {reason}"
        _close(estate, Estate.State.CLOSED, clerk, text, None)


def package(estate: Estate, terms: HandoverTerms) -> bytes:
    """A zip of the inventory as PDF and XML, and a manifest with the SHA-256 of both."""
    files = {"leltar.pdf": inventory.pdf(estate, terms.notary).content(), "leltar.xml": inventory.xml(estate)}
    manifest = {
        "format": FORMAT,
        "number": estate.number,
        "from": facts.of_tenant().name,
        "to": {"name": terms.notary.name, "seat": terms.notary.seat},
        "day": terms.day.isoformat(),
        "way": terms.way,
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


def _notice(estate: Estate, handover: Handover) -> Pdf:
    """The notice for who reported the death: when and to whom, nothing about what others inherit."""
    return Pdf("Értesítés hagyatéki leltár átadásáról", estate.number).pairs(
        [
            ("Ügyszám", estate.number),
            ("Közjegyző", handover.notary.name),
            ("Székhely", handover.notary.seat),
            ("Iroda", handover.notary.address),
            ("Átadás napja", handover.day),
            ("Átadás módja", handover.get_way_display()),
        ]
    )


def _close(estate: Estate, state: str, clerk: str, text: str, document: bytes | None) -> None:
    estate.state, estate.closed_by, estate.closed_at = state, clerk, timezone.now()
    estate.save()
    outcome = "accepted" if state == Estate.State.HANDED_OVER else "rejected"
    cases.send_decision(estate.submission, estate.number, outcome, text, clerk, document)

"""Filing a KRX package: first as an item of the arrival book, then as documents of a case.

Its bytes are kept until it is registered or sent back; afterwards only the documents' files remain.
"""

from __future__ import annotations

import hashlib

from django.utils import timezone

from systems import tenancy
from systems.core import facts
from systems.irat import krx
from systems.irat.handling import attach
from systems.irat.models import Arrival, Direction, Document, Incoming, KrxPackage, take_number


def book_package(content: bytes, by: str) -> Incoming:
    """Book a package in the arrival book. KrxFault when it is no package, is not for us, or has arrived before."""
    package = krx.unpack(content)
    own_ksh = tenancy.current().ksh
    if package.addressee.ksh and package.addressee.ksh != own_ksh:
        to = f"{package.addressee.name} ({package.addressee.ksh})"
        raise krx.KrxFault(f"A csomag címzettje {to}, nem ez az önkormányzat ({own_ksh}).")
    earlier = KrxPackage.objects.select_related("incoming").filter(identifier=package.identifier).first()
    if earlier:
        raise krx.KrxFault(f"Ez a csomag már megérkezett: {earlier.incoming.number}.")
    item = Incoming.objects.create(
        number=take_number("ERK", timezone.localdate().year),
        sender=package.sender.name,
        subject=package.letters[0].subject,
        arrival=Arrival.GATEWAY,
        received_on=timezone.localdate(),
        booked_by=by,
    )
    KrxPackage.objects.create(
        incoming=item,
        identifier=package.identifier,
        sender_ksh=package.sender.ksh[:5],
        sha256=hashlib.sha256(content).hexdigest(),
        content=content,
    )
    return item


def letter_data(item: Incoming) -> dict[str, str]:
    """Data of the first document in an arrival's package, for the registration form; empty without a package."""
    package = KrxPackage.objects.filter(incoming=item, content__isnull=False).first()
    if package is None:
        return {}
    letter = krx.unpack(bytes(package.content)).letters[0]
    return {"sender": letter.sender, "subject": letter.subject, "note": _note(letter)}


def file(item: Incoming, first_document: Document) -> None:
    """File an arrival's package, if any, in the case of `first_document`, which is its first letter."""
    package = KrxPackage.objects.select_for_update().filter(incoming=item, content__isnull=False).first()
    if package is None:
        return
    for index, letter in enumerate(krx.unpack(bytes(package.content)).letters):
        document = first_document
        if index:
            document = Document(
                direction=Direction.IN,
                sender=letter.sender,
                subject=letter.subject,
                arrival=Arrival.GATEWAY,
                received_on=item.received_on,
                note=_note(letter),
                registered_by=first_document.registered_by,
            )
            document.register(first_document.case)
        for part in letter.files:
            attach(document, part.name, part.content_type, part.content)
    forget(item)


def _note(letter: krx.Letter) -> str:
    number = f"A küldő iktatószáma: {letter.number}" if letter.number else ""
    return "\n".join(filter(None, (letter.note, number)))


def forget(item: Incoming) -> None:
    """Delete the bytes of a package that was filed or sent back."""
    KrxPackage.objects.filter(incoming=item).update(content=None)


def of_documents(documents: list[Document], identifier, addressee: krx.Office) -> krx.Package:
    """A package of our own documents with their files."""
    letters = [
        krx.Letter(
            number=document.number,
            sender=document.sender,
            addressee=document.addressee,
            subject=document.subject,
            day=document.received_on,
            note=document.note,
            files=[krx.File(a.name, a.content_type, bytes(a.content)) for a in document.attachments.all()],
        )
        for document in documents
    ]
    sender = krx.Office(facts.of_tenant().name, tenancy.current().ksh)
    return krx.Package(identifier, timezone.localtime(), sender, addressee, letters)

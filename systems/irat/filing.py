"""What becomes of a KRX package that came: an item of the arrival book, then the documents of a case.

Until it is registered or sent back its bytes are kept as they came; afterwards the documents' files are what is left.
"""

from __future__ import annotations

import hashlib

from django.utils import timezone

from systems import tenancy
from systems.core import facts
from systems.irat import krx
from systems.irat.handling import attach
from systems.irat.models import Arrival, Direction, Document, Incoming, KrxPackage, take_number


def received(content: bytes, by: str) -> Incoming:
    """Book a package in the arrival book. KrxFault when it is none, is not for us, or came before."""
    package = krx.unpack(content)
    here = tenancy.current().ksh
    if package.addressee.ksh and package.addressee.ksh != here:
        to = f"{package.addressee.name} ({package.addressee.ksh})"
        raise krx.KrxFault(f"A csomag címzettje {to}, nem ez az önkormányzat ({here}).")
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


def known(item: Incoming) -> dict[str, str]:
    """What the package of an arrival says of its first document, for the form of its registering; else nothing."""
    held = KrxPackage.objects.filter(incoming=item, content__isnull=False).first()
    if held is None:
        return {}
    letter = krx.unpack(bytes(held.content)).letters[0]
    return {"sender": letter.sender, "subject": letter.subject, "note": _note(letter)}


def file(item: Incoming, first: Document) -> None:
    """Put the package of an arrival into the case of `first`, which is its first document; without one do nothing."""
    held = KrxPackage.objects.select_for_update().filter(incoming=item, content__isnull=False).first()
    if held is None:
        return
    for index, letter in enumerate(krx.unpack(bytes(held.content)).letters):
        document = first
        if index:
            document = Document(
                direction=Direction.IN,
                sender=letter.sender,
                subject=letter.subject,
                arrival=Arrival.GATEWAY,
                received_on=item.received_on,
                note=_note(letter),
                registered_by=first.registered_by,
            )
            document.register(first.case)
        for part in letter.files:
            attach(document, part.name, part.content_type, part.content)
    forget(item)


def _note(letter: krx.Letter) -> str:
    number = f"A küldő iktatószáma: {letter.number}" if letter.number else ""
    return "\n".join(filter(None, (letter.note, number)))


def forget(item: Incoming) -> None:
    """Keep no bytes of a package that was filed or sent back."""
    KrxPackage.objects.filter(incoming=item).update(content=None)


def of_documents(documents: list[Document], identifier, addressee: krx.Office) -> krx.Package:
    """A package of documents of ours, with their files."""
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

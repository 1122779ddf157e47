"""Operations on a case: assign, answer, settle, archive, and scrap after its retention period.

Every function changes one case in the caller's transaction, adds a line to its history, and raises
`NotPossible` for what its state forbids. The database refuses the same for closed registers.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import transaction
from django.utils import timezone

from systems.core import facts
from systems.core.errors import NotPossible
from systems.core.pdf import Pdf
from systems.irat.models import (
    ArchiveItem,
    Arrival,
    Attachment,
    Case,
    CaseEvent,
    Destruction,
    Direction,
    Document,
    Outgoing,
    Submission,
    take_number,
)

Kind = CaseEvent.Kind
State = Case.State
UNSCRAPPED = (State.OPEN, State.ASSIGNED, State.SETTLED, State.ARCHIVED)


def lock_case(pk: int, *states: Case.State) -> Case:
    """The case, locked until the transaction ends; NotPossible unless it is in one of `states`."""
    case = Case.objects.select_for_update().get(pk=pk)
    if states and case.state not in states:
        raise NotPossible(f"Az ügyirat állapota: {case.get_state_display()}. Ez a művelet most nem végezhető el.")
    return case


def assign(case: Case, username: str, name: str, deadline: dt.date, note: str, by: str) -> None:
    """Assign the case to a clerk (szignálás)."""
    case.assignee_username, case.assignee, case.deadline, case.state = username, name, deadline, State.ASSIGNED
    case.save(update_fields=["assignee_username", "assignee", "deadline", "state"])
    add_event(case, Kind.ASSIGNED, by, f"{name}, határidő: {deadline:%Y. %m. %d.}" + (f" – {note}" if note else ""))


def postpone(case: Case, deadline: dt.date, reason: str, by: str) -> None:
    """Set another deadline, with a reason."""
    before, case.deadline = case.deadline, deadline
    case.save(update_fields=["deadline"])
    old = f"{before:%Y. %m. %d.}" if before else "nem volt"
    add_event(case, Kind.POSTPONED, by, f"{old} → {deadline:%Y. %m. %d.}: {reason}")


def settle(case: Case, outcome: str, note: str, by: str) -> None:
    """End the case (elintézés)."""
    if case.outgoing.filter(document=None).exists():
        raise NotPossible("Az ügyiratnak van kiadmányozásra váró tervezete. Előbb azt kell kiadmányozni vagy törölni.")
    case.state, case.outcome, case.settled_on = State.SETTLED, outcome, timezone.localdate()
    case.save(update_fields=["state", "outcome", "settled_on"])
    add_event(case, Kind.SETTLED, by, case.get_outcome_display() + (f" – {note}" if note else ""))


def reopen(case: Case, reason: str, by: str) -> None:
    """Reopen a settled case; an archived one leaves the archive and any proposal to scrap it."""
    case.state = State.ASSIGNED if case.assignee else State.OPEN
    case.outcome, case.settled_on = "", None
    case.item, case.archived_on, case.keep_until, case.destruction = None, None, None, None
    case.save(update_fields=["state", "outcome", "settled_on", "item", "archived_on", "keep_until", "destruction"])
    add_event(case, Kind.REOPENED, by, reason)


def admit(pk: int, by: str) -> Case:
    """The case, locked until the transaction ends, for a further document; a settled one is reopened.

    A case of a closed register stays as it is: it continues under a new main number, as a case of its own.
    """
    case = Case.objects.select_for_update(of=("self",)).select_related("register").get(pk=pk)
    if case.state == State.SCRAPPED:
        raise NotPossible(f"A(z) {case.number} ügyiratot már selejtezték, irat nem kerülhet bele. Iktassa új főszámra.")
    if case.state in (State.SETTLED, State.ARCHIVED) and not case.register.closed_at:
        reopen(case, f"További irat érkezett bele ({case.get_state_display()} volt).", by)
    return case


def restrict(case: Case, restricted: bool, reason: str, by: str) -> None:
    """Restrict the case to few readers, or open it again to everybody in records."""
    if case.restricted == restricted:
        raise NotPossible("Az ügyirat hozzáférése már ilyen.")
    case.restricted = restricted
    case.save(update_fields=["restricted"])
    add_event(case, Kind.RESTRICTED, by, f"{'korlátozott' if restricted else 'nem korlátozott'} – {reason}")


def archive(case: Case, item: ArchiveItem, by: str) -> None:
    """Archive a settled case; its archive item decides how long it must be kept."""
    today = timezone.localdate()
    case.state, case.item, case.archived_on = State.ARCHIVED, item, today
    case.keep_until = retention_end(item, today)
    case.save(update_fields=["state", "item", "archived_on", "keep_until"])
    until = f"megőrzendő: {case.keep_until:%Y. %m. %d.}" if case.keep_until else "nem selejtezhető"
    add_event(case, Kind.ARCHIVED, by, f"{item.code} {item.title}, {until}")


def retention_end(item: ArchiveItem | None, day: dt.date | None) -> dt.date | None:
    """The last day on which what was archived on a day must be kept; None: permanently, or not archived."""
    if item is None or item.keep_years is None:
        return None
    return dt.date(day.year + item.keep_years, 12, 31)


def approve(draft: Outgoing, by: str) -> Document:
    """Sign a draft (kiadmányozás): it gets its number, and its PDF is attached."""
    if draft.document_id:
        raise NotPossible("Ezt a tervezetet már kiadmányozták.")
    case = lock_case(draft.case_id, State.OPEN, State.ASSIGNED)
    municipality = facts.of_tenant().name
    document = Document(
        direction=Direction.OUT,
        sender=municipality,
        addressee=draft.addressee,
        subject=draft.subject,
        arrival=Arrival.POST,
        received_on=timezone.localdate(),
        registered_by=draft.drafted_by,
        signed_by=by,
    )
    document.register(case)
    page = Pdf(draft.subject, f"Iktatószám: {document.number}")
    page.pairs([("Címzett", draft.addressee), ("Ügyintéző", case.assignee or draft.drafted_by)])
    for paragraph in filter(None, (line.strip() for line in draft.text.splitlines())):
        page.paragraph(paragraph)
    today = timezone.localdate()
    page.pairs([("Kelt", f"{municipality}, {today:%Y. %m. %d.}"), ("Kiadmányozta", by)])
    attach(document, f"kiadmany-{document.number.replace('/', '-')}.pdf", "application/pdf", page.content())
    draft.document, draft.returned_note = document, ""
    draft.save(update_fields=["document", "returned_note"])
    add_event(case, Kind.SIGNED, by, document.number)
    return document


def give_back(draft: Outgoing, note: str, by: str) -> None:
    """Return a draft to its writer."""
    if draft.document_id:
        raise NotPossible("Ezt a tervezetet már kiadmányozták.")
    draft.returned_note = note
    draft.save(update_fields=["returned_note"])
    add_event(draft.case, Kind.RETURNED, by, f"{draft.subject} – {note}")


def discard(draft: Outgoing, by: str) -> None:
    """Discard a draft that nobody will sign: while it waits, another system's decision cannot settle the case."""
    if draft.document_id:
        raise NotPossible("Ezt a tervezetet már kiadmányozták.")
    add_event(draft.case, Kind.DISCARDED, by, draft.subject)
    draft.delete()


def dispatch(document: Document, way: str, day: dt.date, by: str) -> None:
    """Record that a document was sent out (expediálás)."""
    if document.dispatched_on or document.direction != Direction.OUT:
        raise NotPossible("Ez az irat nem vár expediálásra.")
    document.dispatched_on, document.dispatch_way, document.dispatched_by = day, way, by
    document.save(update_fields=["dispatched_on", "dispatch_way", "dispatched_by"])
    add_event(document.case, Kind.DISPATCHED, by, f"{document.number}: {document.get_dispatch_way_display()}")


def scrapable(year: int):
    """Archived cases whose retention period ended by last year, and which no record proposes yet."""
    return Case.objects.filter(
        state=State.ARCHIVED, keep_until__lt=dt.date(year, 1, 1), destruction=None
    ).select_related("register", "item")


def propose(cases: list[Case], by: str) -> Destruction:
    """Create a record (selejtezési jegyzőkönyv) of cases to scrap, for somebody else to approve."""
    if not cases:
        raise NotPossible("Nincs selejtezhető ügyirat.")
    year = timezone.localdate().year
    record = Destruction.objects.create(number=take_number("SEL", year), proposed_by=by)
    for case in cases:
        case.destruction = record
        case.save(update_fields=["destruction"])
        add_event(case, Kind.PROPOSED, by, record.number)
    return record


def scrap(record: Destruction, by: str) -> None:
    """Approve the record: the cases' files, texts and answers are deleted for good.

    The register keeps a document's number, sender, addressee and subject, by which it is still found.
    """
    if record.approved_by:
        raise NotPossible("Ezt a jegyzőkönyvet már jóváhagyták.")
    if record.proposed_by == by:
        raise NotPossible("A selejtezést nem hagyhatja jóvá az, aki előterjesztette.")
    record.approved_by, record.approved_at = by, timezone.now()
    record.save(update_fields=["approved_by", "approved_at"])
    for case in record.cases.select_for_update().filter(state=State.ARCHIVED):
        Attachment.objects.filter(document__case=case).delete()
        case.documents.update(note="")
        for document in case.documents.all():
            document.index()
        Submission.objects.filter(document__case=case).update(applicant={}, data={}, answers=[])
        case.outgoing.update(text="", returned_note="")
        case.state = State.SCRAPPED
        case.save(update_fields=["state"])
        add_event(case, Kind.SCRAPPED, by, record.number)


def attach(document: Document, name: str, content_type: str, content: bytes) -> Attachment:
    """Attach a file to a document; searches find it by its name."""
    with transaction.atomic():
        attachment = Attachment.objects.create(
            document=document,
            name=name[:200],
            content_type=content_type[:100],
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        document.index()
    return attachment


def add_event(case: Case, kind: CaseEvent.Kind, by: str, note: str = "") -> None:
    """Add a line to the case's history."""
    CaseEvent.objects.create(case=case, kind=kind, by=by, note=note[:1000])

"""What happens to a case: given to somebody, answered, ended, put into the archive, and scrapped when its time is up.

Every function changes one case inside the caller's transaction, writes it into the case's history, and raises
`NotPossible` for what its state forbids. The database refuses the same where it matters (closed registers).
"""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import transaction
from django.utils import timezone

from systems.core import facts
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
    NotPossible,
    Outgoing,
    Submission,
    take_number,
)

Kind = CaseEvent.Kind
State = Case.State
UNSCRAPPED = (State.OPEN, State.ASSIGNED, State.SETTLED, State.ARCHIVED)


def held(pk: int, *states: Case.State) -> Case:
    """The case, held until the transaction ends; NotPossible unless it is in one of `states`."""
    case = Case.objects.select_for_update().get(pk=pk)
    if states and case.state not in states:
        raise NotPossible(f"Az ügyirat állapota: {case.get_state_display()}. Ez a művelet most nem végezhető el.")
    return case


def assign(case: Case, username: str, name: str, deadline: dt.date, note: str, by: str) -> None:
    """Give the case to a clerk (szignálás)."""
    case.assignee_username, case.assignee, case.deadline, case.state = username, name, deadline, State.ASSIGNED
    case.save(update_fields=["assignee_username", "assignee", "deadline", "state"])
    say(case, Kind.ASSIGNED, by, f"{name}, határidő: {deadline:%Y. %m. %d.}" + (f" – {note}" if note else ""))


def postpone(case: Case, deadline: dt.date, reason: str, by: str) -> None:
    """Another deadline, with its reason."""
    before, case.deadline = case.deadline, deadline
    case.save(update_fields=["deadline"])
    old = f"{before:%Y. %m. %d.}" if before else "nem volt"
    say(case, Kind.POSTPONED, by, f"{old} → {deadline:%Y. %m. %d.}: {reason}")


def settle(case: Case, outcome: str, note: str, by: str) -> None:
    """End the case (elintézés)."""
    if case.outgoing.filter(document=None).exists():
        raise NotPossible("Az ügyiratnak van kiadmányozásra váró tervezete. Előbb azt kell kiadmányozni vagy törölni.")
    case.state, case.outcome, case.settled_on = State.SETTLED, outcome, timezone.localdate()
    case.save(update_fields=["state", "outcome", "settled_on"])
    say(case, Kind.SETTLED, by, case.get_outcome_display() + (f" – {note}" if note else ""))


def reopen(case: Case, reason: str, by: str) -> None:
    """Go on with an ended case; one that was in the archive leaves it, and what proposed to scrap it."""
    case.state = State.ASSIGNED if case.assignee else State.OPEN
    case.outcome, case.settled_on = "", None
    case.item, case.archived_on, case.keep_until, case.destruction = None, None, None, None
    case.save(update_fields=["state", "outcome", "settled_on", "item", "archived_on", "keep_until", "destruction"])
    say(case, Kind.REOPENED, by, reason)


def admit(pk: int, by: str) -> Case:
    """The case, held until the transaction ends, for a further document: an ended one is on a work list again.

    One of a closed register stays as it is: it goes on under a new main number, which is a case of its own.
    """
    case = Case.objects.select_for_update(of=("self",)).select_related("register").get(pk=pk)
    if case.state == State.SCRAPPED:
        raise NotPossible(f"A(z) {case.number} ügyiratot már selejtezték, irat nem kerülhet bele. Iktassa új főszámra.")
    if case.state in (State.SETTLED, State.ARCHIVED) and not case.register.closed_at:
        reopen(case, f"További irat érkezett bele ({case.get_state_display()} volt).", by)
    return case


def restrict(case: Case, restricted: bool, reason: str, by: str) -> None:
    """Let few read the case, or again everybody in records."""
    if case.restricted == restricted:
        raise NotPossible("Az ügyirat hozzáférése már ilyen.")
    case.restricted = restricted
    case.save(update_fields=["restricted"])
    say(case, Kind.RESTRICTED, by, f"{'korlátozott' if restricted else 'nem korlátozott'} – {reason}")


def archive(case: Case, item: ArchiveItem, by: str) -> None:
    """Put an ended case into the archive; from the item follows until when it must be kept."""
    today = timezone.localdate()
    case.state, case.item, case.archived_on = State.ARCHIVED, item, today
    case.keep_until = kept_until(item, today)
    case.save(update_fields=["state", "item", "archived_on", "keep_until"])
    until = f"megőrzendő: {case.keep_until:%Y. %m. %d.}" if case.keep_until else "nem selejtezhető"
    say(case, Kind.ARCHIVED, by, f"{item.code} {item.title}, {until}")


def kept_until(item: ArchiveItem | None, day: dt.date | None) -> dt.date | None:
    """Until when what was put into the archive on a day must be kept; None: for ever, or not in the archive."""
    if item is None or item.keep_years is None:
        return None
    return dt.date(day.year + item.keep_years, 12, 31)


def approve(draft: Outgoing, by: str) -> Document:
    """Sign a draft (kiadmányozás): it gets its number, and its PDF is filed with it."""
    if draft.document_id:
        raise NotPossible("Ezt a tervezetet már kiadmányozták.")
    case = held(draft.case_id, State.OPEN, State.ASSIGNED)
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
    say(case, Kind.SIGNED, by, document.number)
    return document


def give_back(draft: Outgoing, note: str, by: str) -> None:
    """Send a draft back to whoever wrote it."""
    if draft.document_id:
        raise NotPossible("Ezt a tervezetet már kiadmányozták.")
    draft.returned_note = note
    draft.save(update_fields=["returned_note"])
    say(draft.case, Kind.RETURNED, by, f"{draft.subject} – {note}")


def discard(draft: Outgoing, by: str) -> None:
    """Drop a draft that nobody will sign: while it waits, no decision of another system goes out in the case."""
    if draft.document_id:
        raise NotPossible("Ezt a tervezetet már kiadmányozták.")
    say(draft.case, Kind.DISCARDED, by, draft.subject)
    draft.delete()


def dispatch(document: Document, way: str, day: dt.date, by: str) -> None:
    """Note that a document left the house (expediálás)."""
    if document.dispatched_on or document.direction != Direction.OUT:
        raise NotPossible("Ez az irat nem vár expediálásra.")
    document.dispatched_on, document.dispatch_way, document.dispatched_by = day, way, by
    document.save(update_fields=["dispatched_on", "dispatch_way", "dispatched_by"])
    say(document.case, Kind.DISPATCHED, by, f"{document.number}: {document.get_dispatch_way_display()}")


def scrapable(year: int):
    """Archived cases whose time is up at the end of the year before, and that no record proposes yet."""
    return Case.objects.filter(
        state=State.ARCHIVED, keep_until__lt=dt.date(year, 1, 1), destruction=None
    ).select_related("register", "item")


def propose(cases: list[Case], by: str) -> Destruction:
    """A record (selejtezési jegyzőkönyv) of cases to scrap, to be approved by somebody else."""
    if not cases:
        raise NotPossible("Nincs selejtezhető ügyirat.")
    year = timezone.localdate().year
    made = Destruction.objects.create(number=take_number("SEL", year), proposed_by=by)
    for case in cases:
        case.destruction = made
        case.save(update_fields=["destruction"])
        say(case, Kind.PROPOSED, by, made.number)
    return made


def scrap(record: Destruction, by: str) -> None:
    """Approve the record: the cases' files, texts and answers are gone for good.

    What a register says of a document stays, and by that it is still found: number, sender, addressee, subject.
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
        say(case, Kind.SCRAPPED, by, record.number)


def attach(document: Document, name: str, content_type: str, content: bytes) -> Attachment:
    """File something with a document; searching finds it by its name."""
    with transaction.atomic():
        made = Attachment.objects.create(
            document=document,
            name=name[:200],
            content_type=content_type[:100],
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
        )
        document.index()
    return made


def say(case: Case, kind: CaseEvent.Kind, by: str, note: str = "") -> None:
    """One line of the case's history."""
    CaseEvent.objects.create(case=case, kind=kind, by=by, note=note[:1000])

"""Further documents: a settled case is reopened, a scrapped case or a closed register accepts none."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from systems.irat import handling
from systems.irat.models import ArchiveItem, Case, Destruction, Document, Incoming, Register, Submission
from tests.systems.irat.test_forms_arrive import arrive, decide, form
from tests.systems.irat.test_handling import archived_case, case, kinds, new_document, text

State = Case.State


@pytest.fixture
def clerk(browse):
    return browse("irat", "iktato", "ugyintezo", "vezeto", username="irat.iren", name="Irat Irén")


def letter(**changes):
    data = {"token": str(uuid.uuid4()), "sender": "Minta Kft.", "subject": "Pótlás", "arrival": "post", "note": ""}
    return data | {"received_on": timezone.localdate()} | changes


def first_of(serve, pk):
    with serve("irat"):
        return Document.objects.get(case=pk, sub=1)


def test_a_further_document_puts_an_ended_case_on_the_work_list_again(clerk, serve):
    pk = archived_case(serve, 3)
    with serve("irat"), transaction.atomic():
        handling.propose([Case.objects.get(pk=pk)], "teszt")
    place = f"/irat/irat/{first_of(serve, pk).pk}/alszam"
    assert "Az ügyirat állapota: irattárban. Az iktatással újra ügyintézés alá kerül." in text(clerk.get(place))
    data = letter()
    for _ in range(2):  # a double click
        assert clerk.post(place, data).status_code == 302
    again = case(serve, pk)
    assert (again.state, again.item, again.keep_until, again.destruction_id) == (State.OPEN, None, None, None)
    assert again.number in text(clerk.get("/irat/ugyiratok/"))
    assert kinds(serve, pk) == ["settled", "archived", "proposed", "reopened"]
    assert "irattárban volt" in text(clerk.get(f"/irat/ugyirat/{pk}"))
    with serve("irat"), transaction.atomic():
        handling.scrap(Destruction.objects.get(), "más")
    assert case(serve, pk).state == State.OPEN, "it left the record that would scrap it"


def test_a_settled_case_goes_back_to_its_clerk(clerk, serve):
    pk = new_document(serve)
    with serve("irat"), transaction.atomic():
        current = Case.objects.get(pk=pk)
        handling.assign(current, "ugy.ubul", "Ügy Ubul", timezone.localdate() + dt.timedelta(days=3), "", "teszt")
        handling.settle(current, "noted", "", "teszt")
    assert clerk.post(f"/irat/irat/{first_of(serve, pk).pk}/alszam", letter()).status_code == 302
    assert (case(serve, pk).state, case(serve, pk).assignee) == (State.ASSIGNED, "Ügy Ubul")


def test_a_scrapped_case_takes_nothing_and_offers_nothing(clerk, serve):
    pk = new_document(serve)
    place = f"/irat/irat/{first_of(serve, pk).pk}/alszam"
    assert place in text(clerk.get(f"/irat/irat/{first_of(serve, pk).pk}"))
    with serve("irat"):
        Case.objects.update(state=State.SCRAPPED)
    assert place not in text(clerk.get(f"/irat/irat/{first_of(serve, pk).pk}"))
    refusal = clerk.post(place, letter())
    assert (refusal.status_code, "ügyiratot már selejtezték, irat nem kerülhet bele" in text(refusal)) == (422, True)
    with serve("irat"):
        assert Document.objects.count() == 1


def test_a_decision_ends_a_case_that_was_ended_before_once_more(serve):
    key = form(serve, target="ado")
    arrive(serve)
    with serve("irat"), transaction.atomic():
        submission = Submission.objects.get(pk=key).document.case
        handling.settle(submission, "noted", "", "teszt")
        handling.archive(submission, ArchiveItem.objects.get(code="B201"), "teszt")
    decide(serve, key)
    assert arrive(serve) == 1
    assert kinds(serve, submission.pk) == ["settled", "archived", "reopened", "settled"]
    assert case(serve, submission.pk).outcome == Case.Outcome.DECIDED


@pytest.mark.parametrize("state", [State.SETTLED, State.ARCHIVED])
def test_an_ended_case_of_a_closed_register_stays_as_it_is(serve, state):
    with serve("irat"), transaction.atomic():
        closed = Register.objects.create(prefix="IKT", year=2020, last_main=1, closed_at=timezone.now())
        old = Case.objects.create(register=closed, main=1, state=state)
        assert handling.admit(old.pk, "teszt").state == state
    assert kinds(serve, old.pk) == []


def test_a_decision_on_a_scrapped_case_is_kept_with_its_cause(serve, node):
    key = form(serve, target="ado")
    arrive(serve)
    with serve("irat"):
        Case.objects.update(state=State.SCRAPPED)
    decide(serve, key)
    assert arrive(serve) == 0
    with node.superuser("t16054") as session:
        (error,) = session.execute("SELECT error FROM chain.failure").fetchone()
    assert "már selejtezték" in error


def test_an_arrival_is_registered_under_the_main_number_that_the_form_names(clerk, serve):
    pk = new_document(serve)
    number = case(serve, pk).number
    with serve("irat"):
        item = Incoming.objects.create(
            number="ERK/2026/1", sender="Minta Kft.", received_on=timezone.localdate(), booked_by="teszt"
        )
    place = f"/irat/erkeztetes/{item.pk}/iktatas"
    for wrong in ("IKT/2026/999999", "tizenkettő", "IKT/2026"):
        page = clerk.post(place, letter(main=wrong))
        assert (page.status_code, f"Nincs ilyen főszám: {wrong}." in text(page)) == (422, True)
    assert clerk.post(place, letter(main=f" {number.lower()}-1 ")).status_code == 302
    with serve("irat"):
        assert Incoming.objects.get().document.number == f"{number}-2"


def test_a_register_that_is_closed_at_this_moment_says_so_and_the_second_try_goes_on_under_a_new_number(
    clerk, serve, node, monkeypatch
):
    with serve("irat"):
        old = Register.objects.create(prefix="IKT", year=2020, last_main=7)
        case = Case.objects.create(register=old, main=7, last_sub=1, subject="Régi ügy")
        first = Document.objects.create(
            case=case, sub=1, number="IKT/2020/7-1", sender="x", subject="x", received_on="2020-12-31",
            registered_by="x", search_text="",
        )  # fmt: skip
    admit = handling.admit

    def and_then_it_is_closed(pk, by):
        result = admit(pk, by)
        with node.superuser("t16054") as session:
            session.execute("UPDATE irat.register SET closed_at = now() WHERE year = 2020")
        return result

    monkeypatch.setattr(handling, "admit", and_then_it_is_closed)
    data = letter()
    page = clerk.post(f"/irat/irat/{first.pk}/alszam", data)
    assert (page.status_code, "Az iktatókönyvet éppen most zárták le." in text(page)) == (422, True)
    monkeypatch.undo()
    assert clerk.post(f"/irat/irat/{first.pk}/alszam", data).status_code == 302
    with serve("irat"):
        later = Document.objects.select_related("case").exclude(pk=first.pk).get()
        assert (later.number, later.case.continues_id) == (f"IKT/{timezone.localdate().year}/1-1", case.pk)

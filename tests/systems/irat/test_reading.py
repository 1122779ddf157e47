"""Restricted cases: read by their clerk, leaders and clerks of their system, on every page; others see the number."""

from __future__ import annotations

import io
import logging
import re
import uuid
import zipfile

import pytest
from django.db import transaction
from django.utils import timezone

from systems.irat import handling
from systems.irat.models import ArchiveItem, Case, Document, Incoming, Outgoing, Register, Submission
from tests.systems.irat.test_forms_arrive import arrive, form
from tests.systems.irat.test_handling import case, kinds, new_document, text

SECRET = "Titkos Tibor"


@pytest.fixture
def secret(serve):
    """A tax form's document with a file, a draft, and a letter waiting to be sent."""
    applicant = {"name": SECRET, "identifier": "8472765075", "email": "", "address": ""}
    key = form(serve, target="ado", attachments=[("a.txt", "text/plain", b"a")], applicant=applicant)
    arrive(serve)
    with serve("irat"), transaction.atomic():
        document = Submission.objects.get(pk=key).document
        data = {"addressee": SECRET, "subject": f"Válasz: {SECRET}", "received_on": timezone.localdate()}
        Document(sender="x", direction="out", registered_by="x", **data).register(document.case)
        Outgoing.objects.create(case=document.case, addressee=SECRET, subject=f"Terv: {SECRET}", text="x")
        document.file = document.attachments.get().pk
        document.draft = Outgoing.objects.get().pk
        document.letter = Document.objects.get(direction="out").pk
    return document


def pages(document):
    """Every page of one case: those to read, and those of operations."""
    case = f"/irat/ugyirat/{document.case_id}"
    readable = [f"/irat/irat/{document.pk}", f"/irat/csatolmany/{document.file}/fajl", case]
    operations = [f"/irat/irat/{document.pk}/csatolmany", f"{case}/elintezes", f"{case}/irattarba", f"{case}/kiadmany"]
    operations += [f"{case}/krx", f"/irat/kiadmanyok/{document.draft}", f"/irat/expedialas/{document.letter}"]
    return readable, [*operations, f"/irat/irat/{document.pk}/alszam"]


CASES = "/irat/ugyiratok/?szuro=mind"
LISTS = ["/irat/", "/irat/?q=titkos", CASES, "/irat/kiadmanyok/", "/irat/expedialas/"]
LISTS += ["/irat/erkeztetes/?szuro=mind", "/irat/irattar/"]


@pytest.mark.parametrize("roles", [["olvaso"], ["iktato", "ugyintezo"]])
def test_who_may_not_read_a_tax_case_is_refused_on_every_page_and_the_log_names_nobody(browse, secret, roles, caplog):
    other = browse("irat", *roles)
    readable, operations = pages(secret)
    for place in [*readable, *(operations if "iktato" in roles else [])]:
        with caplog.at_level(logging.WARNING):
            page = other.get(place)
        assert (page.status_code, SECRET in text(page)) == (403, False), place
        assert f"refused: case {secret.case_id} is restricted" in caplog.text
    assert SECRET not in caplog.text
    for place in LISTS:
        page = other.get(place)
        assert (page.status_code, SECRET in text(page), secret.number in text(page)) == (
            200, False, place.startswith("/irat/erkeztetes"),
        ), place  # fmt: skip


def test_who_may_not_read_changes_nothing(browse, serve, secret):
    other = browse("irat", "iktato", "ugyintezo")
    letter, case = {"addressee": "x", "subject": "x", "text": "x"}, f"/irat/ugyirat/{secret.case_id}"
    for place, data in (
        (f"{case}/kiadmany", letter),
        (f"{case}/krx", {"addressee": "x", "documents": [secret.pk]}),
        (f"/irat/kiadmanyok/{secret.draft}", letter),
        (f"/irat/kiadmanyok/{secret.draft}/elvetes", {}),
        (f"/irat/expedialas/{secret.letter}", {"way": "post", "day": "2026-01-01"}),
    ):
        assert other.post(place, data).status_code == 403, place
    assert kinds(serve, secret.case_id) == []


def reader(browse, serve, how):
    """A clerk who may read the case in that way."""
    if how == "leader":
        return browse("irat", "vezeto", "iktato")
    client = browse("irat", "iktato", username="ado.adel")
    with serve("irat"):
        if how == "assignee":
            Case.objects.update(assignee_username="ado.adel")
        else:  # also a clerk of the tax system
            session = client.session
            session["clerk"] = session["clerk"] | {"roles": ["irat.iktato", "ado.olvaso"]}
            session.save()
    return client


@pytest.mark.parametrize("how", ["leader", "assignee", "system"])
def test_its_clerk_leaders_and_clerks_of_its_system_read_it(browse, serve, secret, how):
    client = reader(browse, serve, how)
    readable, operations = pages(secret)
    for place in readable + operations:
        assert client.get(place).status_code == 200, place
    for place in set(LISTS[:-1]) - {CASES}:
        assert SECRET in text(client.get(place)), place
    cases = text(client.get(CASES))  # a case's own subject, which names nobody
    assert secret.number.rsplit("-", 1)[0] in cases and "Korlátozott hozzáférésű ügy" not in cases


def strings(page):
    with zipfile.ZipFile(io.BytesIO(page.content)) as book:
        return book.read("xl/sharedStrings.xml").decode()


def test_the_register_has_no_gap_but_says_nothing_of_it(browse, serve, secret):
    with serve("irat"):
        place = f"/irat/iktatokonyvek/{Register.objects.get().pk}/iktatokonyv.xlsx"
    cells = strings(browse("irat", "olvaso").get(place))
    assert secret.number in cells and "Korlátozott hozzáférésű ügy" in cells
    assert SECRET not in cells and "Általános kérelem" not in cells
    assert SECRET in strings(browse("irat", "vezeto").get(place))


def test_the_archive_and_a_scrapping_record_show_its_number_only(browse, serve, secret):
    with serve("irat"), transaction.atomic():
        secret_case = secret.case
        Outgoing.objects.filter(case=secret_case).update(document=secret)
        handling.settle(secret_case, "noted", "", "x")
        handling.archive(secret_case, ArchiveItem.objects.get(code="B201"), "x")
        record = handling.propose([secret_case], "x")
    for place in ("/irat/irattar/", f"/irat/irattar/selejtezes/{record.pk}"):
        page, whole = (text(browse("irat", role).get(place)) for role in ("olvaso", "vezeto"))
        assert case(serve, secret_case.pk).number in page and "Korlátozott hozzáférésű ügy" in page, place
        assert "Általános kérelem" not in page and "Általános kérelem" in whole, place
    assert browse("irat", "olvaso").get(f"/irat/irattar/selejtezes/{record.pk}/jegyzokonyv.pdf").status_code == 200


def test_a_leader_restricts_a_case_and_lifts_it(browse, serve):
    pk = new_document(serve)
    boss, other = browse("irat", "vezeto"), browse("irat", "olvaso")
    assert other.post(f"/irat/ugyirat/{pk}/korlatozas", {"reason": "x"}).status_code == 403
    assert "Hozzáférés korlátozása" in text(boss.get(f"/irat/ugyirat/{pk}"))
    assert boss.post(f"/irat/ugyirat/{pk}/korlatozas", {"reason": "gyermekvédelem"}).status_code == 302
    assert "hozzáférése már ilyen" in text(boss.post(f"/irat/ugyirat/{pk}/korlatozas", {"reason": "x"}))
    assert other.get(f"/irat/ugyirat/{pk}").status_code == 403
    assert "korlátozott: az ügyintéző" in text(boss.get(f"/irat/ugyirat/{pk}"))
    assert boss.post(f"/irat/ugyirat/{pk}/feloldas", {"reason": "lezárult"}).status_code == 302
    assert other.get(f"/irat/ugyirat/{pk}").status_code == 200
    assert kinds(serve, pk) == ["restricted", "restricted"]


@pytest.mark.parametrize(
    ("target", "restricted"), [("ado", True), ("hagyatek", True), ("iparker", False), (None, False)]
)
def test_what_is_restricted_follows_from_who_deals_with_it(serve, target, restricted):
    key = form(serve, target=target)
    arrive(serve)
    with serve("irat"):
        submission = Submission.objects.get(pk=key).document.case
        assert (submission.restricted, submission.system) == (restricted, target or "")


def test_a_case_that_goes_on_under_a_new_number_stays_restricted(serve):
    with serve("irat"):
        closed = Register.objects.create(prefix="IKT", year=2020, last_main=1, closed_at=timezone.now())
        old = Case.objects.create(register=closed, main=1, system="ado", restricted=True)
        later = Document(sender="x", subject="x", received_on=timezone.localdate(), registered_by="x")
        later.register(old)
        assert (later.case.continues, later.case.system, later.case.restricted) == (old, "ado", True)


def test_a_letter_is_filed_in_a_case_that_its_registrar_may_not_read(browse, serve, secret):
    clerk = browse("irat", "iktato")
    with serve("irat"):
        item = Incoming.objects.create(number="ERK/x", sender="x", received_on=timezone.localdate(), booked_by="x")
    data = {"token": str(uuid.uuid4()), "sender": "x", "subject": "x", "arrival": "post", "note": ""}
    data |= {"received_on": timezone.localdate(), "main": secret.number}
    page = clerk.post(f"/irat/erkeztetes/{item.pk}/iktatas", data, follow=True)
    assert page.status_code == 200 and re.search(rf"Iktatószáma: {secret.number[:-2]}-3", text(page))

"""A case's course: arrival, registration, assignment, answer, signature, dispatch, settlement, archive, scrapping."""

from __future__ import annotations

import datetime as dt
import io
import threading
import uuid
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from systems.irat import handling
from systems.irat.models import (
    ArchiveItem,
    Attachment,
    Case,
    CaseEvent,
    Destruction,
    Document,
    Incoming,
    Outgoing,
    Register,
    Submission,
    find,
)
from systems.keret.models import User

State = Case.State
SOON = timezone.localdate() + dt.timedelta(days=10)


@pytest.fixture
def boss(browse):
    return browse("irat", "vezeto", username="fo.flora", name="Fő Flóra")


@pytest.fixture
def clerk(browse):
    return browse("irat", "iktato", "ugyintezo", username="irat.iren", name="Irat Irén")


def text(page):
    return page.content.decode()


def new_document(serve, **changes):
    """Register a document with its own case; returns the case's key."""
    with serve("irat"):
        data = {"sender": "Minta Kft.", "subject": "Fakivágási kérelem", "received_on": timezone.localdate()}
        document = Document(**(data | {"registered_by": "teszt"} | changes))
        document.register()
        return document.case_id


def case(serve, pk):
    with serve("irat"):
        return Case.objects.select_related("register", "item").get(pk=pk)


def kinds(serve, pk):
    with serve("irat"):
        return list(CaseEvent.objects.filter(case=pk).values_list("kind", flat=True))


def test_an_arrival_gets_a_number_of_its_own_and_becomes_a_document_once(clerk, serve):
    day = timezone.localdate()
    form = {"token": str(uuid.uuid4()), "sender": "Minta Kft.", "subject": "", "arrival": "post", "received_on": day}
    for _ in range(2):  # a double click
        assert clerk.post("/irat/erkeztetes/uj", form).status_code == 302
    with serve("irat"):
        item = Incoming.objects.get()
    assert item.number == f"ERK/{day.year}/1"
    assert item.number in text(clerk.get("/irat/erkeztetes/"))
    page = text(clerk.get(f"/irat/erkeztetes/{item.pk}/iktatas"))
    assert "Minta Kft." in page and f"{item.number} küldemény iktatása" in page
    places = set()
    for _ in range(2):  # two clerks at once, each with a form of their own
        data = form | {"token": str(uuid.uuid4()), "subject": "Kérelem", "note": ""}
        places.add(clerk.post(f"/irat/erkeztetes/{item.pk}/iktatas", data)["Location"])
    with serve("irat"):
        document = Document.objects.get()
        assert Incoming.objects.get().document == document
    assert f"/irat/irat/{document.pk}" in places
    assert clerk.post(f"/irat/erkeztetes/{item.pk}/visszakuldes", {"reason": "nem ide"}).status_code == 302
    with serve("irat"):
        assert Incoming.objects.get().sent_back == "", "what was registered is not sent back"


def test_arrival_numbers_have_no_gaps_when_some_fail_and_many_come_at_once(serve):
    def work(fail):
        with serve("irat"):
            try:
                with transaction.atomic():
                    number = handling.take_number("ERK", 2026)
                    if fail:
                        raise ZeroDivisionError
                    Incoming.objects.create(number=number, sender="x", received_on=timezone.localdate(), booked_by="x")
            except ZeroDivisionError:
                pass
            finally:
                connection.close()

    threads = [threading.Thread(target=work, args=(n % 3 == 0,)) for n in range(9)]
    for group in (threads[:3], threads[3:6], threads[6:]):
        for thread in group:
            thread.start()
        for thread in group:
            thread.join()
    with serve("irat"):
        numbers = sorted(int(number.rpartition("/")[2]) for number in Incoming.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 7))


def test_the_whole_way_of_a_case(boss, clerk, serve, deliver):
    pk = new_document(serve)
    assert "szignálásra vár" in text(boss.get(f"/irat/ugyirat/{pk}"))
    assignment = {"assignee": "fo.flora", "deadline": SOON, "note": "sürgős"}
    assert boss.post(f"/irat/ugyirat/{pk}/szignalas", assignment).status_code == 302
    assert (case(serve, pk).state, case(serve, pk).assignee) == (State.ASSIGNED, "Fő Flóra")
    assert case(serve, pk).number in text(boss.get("/irat/ugyiratok/?szuro=sajat"))
    later = {"deadline": SOON + dt.timedelta(days=5), "reason": "hiánypótlás"}
    assert boss.post(f"/irat/ugyirat/{pk}/hatarido", later).status_code == 302

    page = text(clerk.get(f"/irat/ugyirat/{pk}/kiadmany"))
    assert 'value="Minta Kft."' in page and "Válasz: Fakivágási kérelem" in page
    letter = {"addressee": "Minta Kft.", "subject": "Válasz", "text": "Tisztelt Cím!\n\nHozzájárulok. <b>\n"}
    assert clerk.post(f"/irat/ugyirat/{pk}/kiadmany", letter).status_code == 302
    with serve("irat"):
        draft = Outgoing.objects.get()
    refusal = clerk.post(f"/irat/ugyirat/{pk}/elintezes", {"outcome": "answered", "note": ""})
    assert refusal.status_code == 422 and "kiadmányozásra váró tervezete" in text(refusal)
    assert clerk.post(f"/irat/kiadmanyok/{draft.pk}/kiadmanyozas").status_code == 403, "clerks do not sign"
    back = boss.post(f"/irat/kiadmanyok/{draft.pk}/kiadmanyozas", {"vissza": "1", "reason": "elírás"})
    assert back.status_code == 302 and "elírás" in text(clerk.get("/irat/kiadmanyok/"))
    assert clerk.post(f"/irat/kiadmanyok/{draft.pk}", letter | {"text": "Hozzájárulok."}).status_code == 302
    assert boss.post(f"/irat/kiadmanyok/{draft.pk}/kiadmanyozas").status_code == 302
    with serve("irat"):
        document = Document.objects.get(direction="out")
        file = document.attachments.get()
        assert document.number.endswith("-2") and document.signed_by == "Fő Flóra"
        assert bytes(file.content).startswith(b"%PDF") and file.name.startswith("kiadmany-IKT-")
    assert boss.post(f"/irat/kiadmanyok/{draft.pk}/kiadmanyozas").status_code == 302
    with serve("irat"):
        assert Document.objects.filter(direction="out").count() == 1, "signed twice is signed once"

    assert document.number in text(clerk.get("/irat/expedialas/"))
    dispatch = {"way": "registered", "day": timezone.localdate()}
    assert clerk.post(f"/irat/expedialas/{document.pk}", dispatch).status_code == 302
    assert "nem vár expediálásra" in text(clerk.post(f"/irat/expedialas/{document.pk}", dispatch))
    assert clerk.post(f"/irat/ugyirat/{pk}/elintezes", {"outcome": "answered", "note": ""}).status_code == 302
    with serve("irat"):
        item = ArchiveItem.objects.get(code="F601")
    assert clerk.post(f"/irat/ugyirat/{pk}/irattarba", {"item": item.pk}).status_code == 302
    current = case(serve, pk)
    assert current.keep_until == dt.date(timezone.localdate().year + 5, 12, 31)
    assert kinds(serve, pk) == ["assigned", "postponed", "returned", "signed", "dispatched", "settled", "archived"]
    for address in (
        "",
        "erkeztetes/",
        "ugyiratok/?szuro=mind",
        f"ugyirat/{pk}",
        "kiadmanyok/",
        "irattar/",
        "statisztika/",
    ):
        assert clerk.get(f"/irat/{address}").status_code == 200, address


@pytest.mark.parametrize(
    ("path", "data", "roles"),
    [
        ("szignalas", {"assignee": "x", "deadline": "2030-01-01"}, ["iktato", "ugyintezo", "olvaso"]),
        ("hatarido", {"deadline": "2030-01-01", "reason": "x"}, ["iktato", "ugyintezo", "olvaso"]),
        ("elintezes", {"outcome": "noted"}, ["olvaso"]),
        ("kiadmany", {"addressee": "x", "subject": "x", "text": "x"}, ["olvaso"]),
        ("ujranyitas", {"reason": "x"}, ["iktato", "ugyintezo", "olvaso"]),
    ],
)
def test_other_roles_are_refused(browse, serve, path, data, roles):
    pk = new_document(serve)
    for role in roles:
        assert browse("irat", role).post(f"/irat/ugyirat/{pk}/{path}", data).status_code == 403, role
    assert kinds(serve, pk) == []


@pytest.mark.parametrize("path", ["hatarido", "ujranyitas", "irattarba"])
def test_a_state_that_forbids_it_says_so(boss, serve, path):
    pk = new_document(serve)
    with serve("irat"):
        item = ArchiveItem.objects.first().pk
    page = boss.post(f"/irat/ugyirat/{pk}/{path}", {"deadline": SOON, "reason": "x", "item": item})
    assert page.status_code == 422 and "Az ügyirat állapota: szignálásra vár" in text(page)


def test_what_is_late_is_shown_and_counted(boss, serve):
    pk = new_document(serve)
    with serve("irat"):
        Case.objects.filter(pk=pk).update(
            state="assigned", assignee="x", deadline=timezone.localdate() - dt.timedelta(days=1)
        )
    assert "lejárt határidejű" in text(boss.get("/irat/ugyiratok/?szuro=lejart"))
    assert "<dt>Lejárt határidejű ügyirat</dt><dd>1</dd>" in text(boss.get("/irat/statisztika/"))


@pytest.mark.parametrize(("days", "late"), [(-1, True), (0, False), (1, False)])
def test_a_case_is_not_late_on_its_very_day(boss, serve, days, late):
    pk = new_document(serve)
    with serve("irat"):
        deadline = timezone.localdate() + dt.timedelta(days=days)
        Case.objects.filter(pk=pk).update(state="assigned", assignee="x", deadline=deadline)
        assert Case.objects.get().overdue is late
    number = case(serve, pk).number
    assert (number in text(boss.get("/irat/ugyiratok/?szuro=lejart"))) is late
    assert ("lejárt határidejű" in text(boss.get(f"/irat/ugyirat/{pk}"))) is late
    assert f"<dt>Lejárt határidejű ügyirat</dt><dd>{int(late)}</dd>" in text(boss.get("/irat/statisztika/"))


def test_two_clerks_cannot_settle_one_case_at_the_same_time(browse, serve, node):
    pk = new_document(serve)
    clerks = [browse("irat", "ugyintezo", "iktato", username=f"irat.{n}", name=f"Irat {n}") for n in "ab"]
    deeds = [
        lambda clerk=clerk: clerk.post(f"/irat/ugyirat/{pk}/elintezes", {"outcome": "noted", "note": ""}).status_code
        for clerk in clerks
    ]
    with serve("irat"):
        assert sorted(node.at_once("SELECT FROM irat.case_file FOR UPDATE", *deeds)) == [302, 422]
        assert CaseEvent.objects.filter(case=pk, kind="settled").count() == 1


def archived_case(serve, years_ago, item="F602"):
    """A case that was archived some years ago."""
    pk = new_document(serve, note="bizalmas")
    with serve("irat"), transaction.atomic():
        case = Case.objects.get(pk=pk)
        handling.attach(case.documents.get(), "melleklet.pdf", "application/pdf", b"%PDF")
        handling.settle(case, "noted", "", "teszt")
        handling.archive(case, ArchiveItem.objects.get(code=item), "teszt")
        if case.keep_until:
            case.keep_until = case.keep_until.replace(year=case.keep_until.year - years_ago)
            case.save()
    return pk


def test_a_case_is_kept_until_the_last_day_of_its_last_year(clerk, serve):
    young, over = archived_case(serve, 2), archived_case(serve, 2)
    this_year = timezone.localdate().year
    with serve("irat"):
        Case.objects.filter(pk=young).update(keep_until=dt.date(this_year, 12, 31))
        Case.objects.filter(pk=over).update(keep_until=dt.date(this_year - 1, 12, 31))
        assert [case.pk for case in handling.scrapable(this_year)] == [over]
    assert clerk.post("/irat/irattar/selejtezes").status_code == 302
    with serve("irat"):
        assert [case.pk for case in Destruction.objects.get().cases.all()] == [over]


def test_what_is_due_is_scrapped_by_two_people_and_nothing_else(boss, browse, serve):
    due, early, never = archived_case(serve, 3), archived_case(serve, 1), archived_case(serve, 9, "A101")
    both = browse("irat", "iktato", "vezeto", username="ket.szerep", name="Két Szerep")
    assert "Selejtezhető ügyirat: <strong>1</strong>" in text(both.get("/irat/irattar/"))
    assert both.post("/irat/irattar/selejtezes").status_code == 302
    with serve("irat"):
        record = Destruction.objects.get()
    place = f"/irat/irattar/selejtezes/{record.pk}"
    assert "Selejtezés jóváhagyása" not in text(both.get(place))
    both.post(f"{place}/jovahagyas")
    assert case(serve, due).state == State.ARCHIVED, "who proposed does not approve"
    assert boss.post(f"{place}/jovahagyas").status_code == 302
    assert [case(serve, pk).state for pk in (due, early, never)] == ["scrapped", "archived", "archived"]
    with serve("irat"):
        document = Document.objects.get(case=due)
        assert (document.attachments.count(), document.note, document.subject) == (0, "", "Fakivágási kérelem")
    assert boss.get(f"{place}/jegyzokonyv.pdf").content.startswith(b"%PDF")


def test_a_case_is_proposed_once_and_a_record_is_approved_once(boss, clerk, browse, serve):
    archived_case(serve, 3)
    assert clerk.post("/irat/irattar/selejtezes").status_code == 302
    assert "Nincs selejtezhető ügyirat" in text(clerk.post("/irat/irattar/selejtezes", follow=True))
    with serve("irat"):
        place = f"/irat/irattar/selejtezes/{Destruction.objects.get().pk}/jovahagyas"
    assert boss.post(place).status_code == 302
    other = browse("irat", "vezeto", username="mas.mihaly", name="Más Mihály")
    assert "már jóváhagyták" in text(other.post(place, follow=True))
    with serve("irat"):
        assert Destruction.objects.get().approved_by == "Fő Flóra"


def test_a_case_that_left_the_archive_meanwhile_is_not_scrapped(serve):
    young, due = archived_case(serve, 3), archived_case(serve, 3)
    with serve("irat"), transaction.atomic():
        record = handling.propose(list(Case.objects.filter(pk__in=[young, due])), "teszt")
        Case.objects.filter(pk=young).update(state=State.SETTLED)
        handling.scrap(record, "más")
        assert Document.objects.get(case=young).attachments.count() == 1
    assert [case(serve, pk).state for pk in (young, due)] == ["settled", "scrapped"]


@pytest.mark.parametrize("state", [State.SETTLED, State.ARCHIVED, State.SCRAPPED])
def test_nothing_is_signed_in_a_case_that_has_ended(boss, serve, state):
    pk = new_document(serve)
    with serve("irat"):
        draft = Outgoing.objects.create(case_id=pk, addressee="x", subject="x", text="x", drafted_by="x")
        Case.objects.update(state=state)
    page = boss.post(f"/irat/kiadmanyok/{draft.pk}/kiadmanyozas", follow=True)
    assert "Ez a művelet most nem végezhető el" in text(page)
    with serve("irat"):
        assert Document.objects.count() == 1 and Outgoing.objects.get().document is None


def test_only_what_goes_out_is_sent(clerk, serve):
    pk = new_document(serve)
    with serve("irat"):
        letter = Document.objects.get(case=pk)
    page = clerk.post(f"/irat/expedialas/{letter.pk}", {"way": "post", "day": timezone.localdate().isoformat()})
    assert (page.status_code, "Ez az irat nem vár expediálásra" in text(page)) == (422, True)


@pytest.mark.parametrize(("days", "late"), [(-1, 0), (0, 0), (1, 1)])
def test_what_was_settled_on_its_last_day_was_in_time(boss, serve, days, late):
    pk = new_document(serve)
    today = timezone.localdate()
    with serve("irat"), transaction.atomic():
        handling.assign(Case.objects.get(pk=pk), "irat.iren", "Irat Irén", today - dt.timedelta(days=days), "", "x")
        handling.settle(Case.objects.get(pk=pk), "noted", "", "x")
    assert f"<dd>1, ebből határidő után: {late}</dd>" in text(boss.get("/irat/statisztika/"))


def test_the_deadline_that_is_offered_is_a_working_day_in_sixty_days(boss, serve, monkeypatch):
    pk = new_document(serve)
    for today, due in ((dt.date(2026, 1, 5), "2026-03-06"), (dt.date(2026, 1, 6), "2026-03-09")):
        monkeypatch.setattr("systems.irat.case_views.timezone.localdate", lambda today=today: today)
        assert f'value="{due}"' in text(boss.get(f"/irat/ugyirat/{pk}/szignalas")), today


def test_of_a_scrapped_form_its_answers_and_its_sender_are_gone_and_its_number_is_found(boss, serve):
    from tests.systems.irat.test_forms_arrive import arrive, form

    key = form(serve, attachments=[("terv.pdf", "application/pdf", b"%PDF")], answers=[{"title": "a", "answers": []}])
    arrive(serve)
    with serve("irat"), transaction.atomic():
        document = Submission.objects.get(pk=key).document
        scrapped_case = document.case
        Outgoing.objects.create(case=scrapped_case, addressee="x", subject="x", text="titok", document=document)
        handling.settle(scrapped_case, "noted", "", "teszt")
        handling.archive(scrapped_case, ArchiveItem.objects.get(code="F602"), "teszt")
        handling.scrap(handling.propose([scrapped_case], "teszt"), "más")
        submission = Submission.objects.get(pk=key)
        assert (submission.applicant, submission.data, submission.answers) == ({}, {}, [])
        assert not Attachment.objects.exists() and Outgoing.objects.get().text == ""
        assert [result.pk for result in find(document.number)] == [document.pk] and not find("terv.pdf")
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'irat'")
            tables = [name for (name,) in cursor.fetchall() if name != "django_session"]
            for table in tables:
                cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~ 'lomtalan|8472765075|titok'")
                assert cursor.fetchone() == (0,), table
    assert "lomtalanítás" not in text(boss.get(f"/irat/irat/{document.pk}"))


def test_a_closed_register_takes_nothing_and_its_cases_go_on_in_this_year(boss, clerk, serve):
    pk = new_document(serve)
    with serve("irat"):
        old = Register.objects.create(prefix="IKT", year=2020, last_main=7)
        case = Case.objects.create(register=old, main=7, subject="Régi ügy")
        this_year = Register.objects.get(year=timezone.localdate().year)
    assert clerk.post(f"/irat/iktatokonyvek/{old.pk}/lezaras").status_code == 403
    boss.post(f"/irat/iktatokonyvek/{this_year.pk}/lezaras")
    assert "csak az év letelte után" in text(boss.get("/irat/iktatokonyvek/"))
    boss.post(f"/irat/iktatokonyvek/{old.pk}/lezaras")
    with serve("irat"):
        closed = Register.objects.get(pk=old.pk)
        assert closed.closed_by == "Fő Flóra"
        for statement in (
            "UPDATE register SET last_main = 8 WHERE year = 2020",
            "UPDATE register SET closed_at = NULL WHERE year = 2020",
            "DELETE FROM register WHERE year = 2020",
            "DELETE FROM document",
            "UPDATE document SET number = 'IKT/2020/9-9'",
            "UPDATE document SET received_on = '2020-01-01'",
            "UPDATE document SET registered_at = registered_at - interval '1 day'",
            f"UPDATE register SET last_main = 0 WHERE year = {this_year.year}",
        ):
            with (
                pytest.raises(DatabaseError, match="is closed or would go back|stays registered|keeps its number"),
                transaction.atomic(),
            ):
                connection.cursor().execute(statement)
        with pytest.raises(DatabaseError, match="the register of IKT/2020/7-9 is closed"), transaction.atomic():
            Document(
                case=case, sub=9, number="IKT/2020/7-9", sender="x", subject="x", received_on="2020-12-31",
                registered_by="x",
            ).save(force_insert=True)  # fmt: skip
        later = Document(sender="x", subject="Folytatás", received_on=timezone.localdate(), registered_by="x")
        later.register(Case.objects.select_related("register").get(pk=case.pk))
        assert later.number == f"IKT/{timezone.localdate().year}/2-1"
        assert later.case.continues_id == case.pk
    assert "Előirat" in text(boss.get(f"/irat/ugyirat/{later.case_id}"))
    assert "Utóirat" in text(boss.get(f"/irat/ugyirat/{case.pk}"))
    with zipfile.ZipFile(io.BytesIO(boss.get(f"/irat/iktatokonyvek/{this_year.pk}/iktatokonyv.xlsx").content)) as book:
        assert b"Folytat" in book.read("xl/sharedStrings.xml")
    assert kinds(serve, pk) == []


def test_history_is_never_rewritten(serve):
    pk = archived_case(serve, 0)
    with serve("irat"):
        for statement in ("UPDATE case_event SET by = 'x'", "DELETE FROM case_event"):
            with pytest.raises(DatabaseError, match="rows of case_event never change"), transaction.atomic():
                connection.cursor().execute(statement)
    assert kinds(serve, pk) == ["settled", "archived"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fakivagasi", True), ("kérelmet", True), ("FAKIVÁGÁS", True), ("minta kft", True), ("melleklet.pdf", True),
        ("100%", False), ("_", False), ("' OR 1=1 --", False), ("\\", False), ("nincsilyen", False),
    ],
)  # fmt: skip
def test_documents_are_found_by_any_form_of_their_words(serve, query, expected):
    archived_case(serve, 0)
    with serve("irat"):
        assert find(query).exists() is expected


def test_the_best_match_comes_first(serve):
    new_document(serve, subject="Egyéb ügy", note="a játszótér mellett")
    new_document(serve, subject="Játszótér felújítása")
    with serve("irat"):
        assert [d.subject for d in find("játszótér")] == ["Játszótér felújítása", "Egyéb ügy"]


def test_a_scan_is_filed_with_its_document_found_by_its_name_and_downloaded_as_it_was(clerk, serve, browse):
    new_document(serve)
    with serve("irat"):
        document = Document.objects.get()
    place = f"/irat/irat/{document.pk}/csatolmany"
    assert clerk.get(f"/irat/irat/{document.pk}").content.count(place.encode()) == 1
    assert clerk.post(place, {"file": SimpleUploadedFile("Beolvasott levél.pdf", b"%PDF-1.4 x")}).status_code == 302
    with serve("irat"):
        (file,) = document.attachments.all()
        assert (file.content_type, [result.pk for result in find("beolvasott")]) == ("application/pdf", [document.pk])
    assert clerk.get(f"/irat/csatolmany/{file.pk}/fajl").content == b"%PDF-1.4 x"
    assert browse("irat", "olvaso").post(place, {"file": SimpleUploadedFile("a.pdf", b"x")}).status_code == 403
    large = clerk.post(place, {"file": SimpleUploadedFile("nagy.pdf", b"x" * (10 * 2**20 + 1))})
    assert (large.status_code, "legfeljebb 10 MB" in text(large)) == (422, True)
    assert "Ezt a mezőt ki kell tölteni: csatolmány." in text(clerk.post(place, {"file": ""}))
    with serve("irat"):
        Case.objects.update(state=State.SCRAPPED)
    assert "selejtezve" in text(clerk.post(place, {"file": SimpleUploadedFile("a.pdf", b"x")}))
    assert place not in text(clerk.get(f"/irat/irat/{document.pk}"))
    with serve("irat"):
        assert document.attachments.count() == 1


def test_cases_are_given_only_to_clerks_who_work_in_records(boss, serve):
    pk = new_document(serve)
    with serve("keret"):
        User.objects.create(username="uj.ubul", name="Új Ubul")
        User.objects.create(username="zart.zita", name="Zárt Zita", locked_at=timezone.now())
        for username, name, system in (("irat.imre", "Irat Imre", "irat"), ("ado.adel", "Adó Adél", "ado")):
            user = User.objects.create(username=username, name=name, managed=True)
            user.grants.create(kind="permanent", system=system, role="ugyintezo", given_by="teszt")
    page = text(boss.get(f"/irat/ugyirat/{pk}/szignalas"))
    names = ("Irat Imre (irat.imre)", "Új Ubul (uj.ubul)", "ado.adel", "zart.zita")
    assert [name in page for name in names] == [True, True, False, False]
    refusal = boss.post(f"/irat/ugyirat/{pk}/szignalas", {"assignee": "ado.adel", "deadline": SOON})
    assert (refusal.status_code, "Válasszon a felsoroltak közül." in text(refusal)) == (422, True)
    boss.post(f"/irat/ugyirat/{pk}/szignalas", {"assignee": "irat.imre", "deadline": SOON})
    assert case(serve, pk).assignee == "Irat Imre"


def test_a_draft_that_nobody_signs_is_discarded_and_the_case_goes_on(serve, browse, clerk, boss):
    pk = new_document(serve)
    letter = {"addressee": "Minta Kft.", "subject": "Tévedésből írt", "text": "Tisztelt Cím!"}
    assert clerk.post(f"/irat/ugyirat/{pk}/kiadmany", letter).status_code == 302
    with serve("irat"):
        draft = Outgoing.objects.get()
    assert "Elvetés" in text(clerk.get(f"/irat/kiadmanyok/{draft.pk}"))
    assert browse("irat", "irattaros").post(f"/irat/kiadmanyok/{draft.pk}/elvetes").status_code == 403
    assert clerk.post(f"/irat/kiadmanyok/{draft.pk}/elvetes").status_code == 302
    page = text(clerk.get(f"/irat/ugyirat/{pk}"))
    assert "tervezet elvetése" in page and "Tévedésből írt" in page
    for path in (f"/irat/kiadmanyok/{draft.pk}/elvetes", f"/irat/kiadmanyok/{draft.pk}/kiadmanyozas"):
        assert boss.post(path).status_code == 404
    assert clerk.post(f"/irat/ugyirat/{pk}/elintezes", {"outcome": "answered", "note": ""}).status_code == 302


def test_what_was_signed_is_not_discarded(serve, clerk, boss):
    pk = new_document(serve)
    letter = {"addressee": "Minta Kft.", "subject": "Válasz", "text": "Tisztelt Cím!"}
    clerk.post(f"/irat/ugyirat/{pk}/kiadmany", letter)
    with serve("irat"):
        draft = Outgoing.objects.get().pk
    assert boss.post(f"/irat/kiadmanyok/{draft}/kiadmanyozas").status_code == 302
    assert "már kiadmányozták" in text(clerk.post(f"/irat/kiadmanyok/{draft}/elvetes", follow=True))
    with serve("irat"):
        assert Outgoing.objects.filter(pk=draft, document__isnull=False).exists()

"""Filling in and submitting forms, on the real database."""

import re
import threading

import pytest
from django.db import DatabaseError, connection, transaction

from systems.core import money
from systems.elugy.models import Event, Submission
from tests.systems.elugy.support import GENERAL, IDENTIFIER, OTHER, begin, citizen, fill, submit
from tests.systems.support import OURS, THEIRS

PDF = b"%PDF-1.4 minta"
HIPA = [
    ("ugyfel", {"address": "3770 Sajószentpéter, Minta utca 1."}),
    (
        "adozo",
        {
            "taxpayer_kind": "firm",
            "taxpayer_name": "Minta Kft.",
            "taxpayer_identifier": "12345676-1-05",
            "taxpayer_address": "Sajószentpéter",
        },
    ),
    ("kepviselet", {"represents_as": "ügyvezető"}),
    ("idoszak", {"year": "2025", "period_from": "2025-01-01", "period_until": "2025-12-31"}),
    (
        "adoalap",
        {
            "net_revenue": "12 000 000",
            "cost_of_goods": "1 500 000",
            "material_cost": "500.000",
            "subcontracting": "0",
            "research_cost": "0",
            "tax_base": "10 000 000 Ft",
        },
    ),
    ("nyilatkozat", {"truth": "on"}),
]


def text(page):
    return page.content.decode()


def messages(node):
    with node.superuser("t16054") as session:
        sql = "SELECT target, topic, key, body FROM chain.message WHERE topic = 'submission'"
        return session.execute(sql).fetchall()


def test_anybody_sees_the_catalogue_and_is_led_to_sign_in(browse):
    anybody = browse("elugy")
    page = anybody.get("/elugy/")
    assert page.status_code == 200
    assert "Sajószentpéter" in text(page)
    assert "Általános kérelem" in text(page)
    assert anybody.get("/elugy/urlap/altalanos").status_code == 200
    assert anybody.get("/elugy/urlap/nincs").status_code == 404
    page = anybody.get("/elugy/ugyeim/")
    assert page["Location"] == "/elugy/ugyfel/belepes?next=%2Felugy%2Fugyeim%2F"
    assert anybody.post("/elugy/urlap/altalanos/kitoltes").status_code == 403


def test_a_form_whose_system_the_municipality_lacks_is_not_offered(browse, monkeypatch):
    from dataclasses import replace

    from django.conf import settings

    catalogue = tuple(entry for entry in settings.ASP.catalogue if entry.id != "ado")
    monkeypatch.setattr(settings, "ASP", replace(settings.ASP, catalogue=catalogue))
    assert "urlap-hipa" not in text(browse("elugy").get("/elugy/"))
    assert browse("elugy").get("/elugy/urlap/hipa").status_code == 404
    assert citizen().post("/elugy/urlap/hipa/kitoltes").status_code == 404


def test_a_form_is_filled_in_and_arrives_once_however_often_it_is_sent(node, serve):
    client = citizen()
    draft = begin(client)
    assert fill(client, draft, GENERAL) == f"{draft}/mellekletek"
    assert "Kidőlt." in text(client.get(f"{draft}/ellenorzes"))
    first, second = client.post(f"{draft}/ellenorzes"), client.post(f"{draft}/ellenorzes")
    assert first["Location"] == second["Location"]
    page = text(client.get(first["Location"]))
    assert re.search(r"EU/\d{4}/1<", page)
    [(target, topic, key, body)] = messages(node)
    assert (target, topic, key) == ("irat", "submission", body["submission"])
    assert body["form"] == "altalanos" and body["target"] is None
    assert body["applicant"] == {
        "name": "Próba Piroska",
        "identifier": IDENTIFIER,
        "email": "proba@pelda.test",
        "address": "3770 Sajószentpéter, Minta utca 1.",
    }
    assert body["data"] == {"address": GENERAL[0][1]["address"], "phone": "", "subject": "Fa", "text": "Kidőlt."}


def test_conditional_steps_open_and_close_with_their_answers(node, serve, monkeypatch):
    monkeypatch.setattr("systems.elugy.views._has_system", lambda target, ksh: True)
    client = citizen()
    case = submit(client, "hipa", HIPA)
    [(_, _, _, body)] = messages(node)
    assert body["target"] == "ado"
    assert body["data"]["net_revenue"] == 12_000_000 and body["data"]["tax_base"] == 10_000_000
    assert body["data"]["taxpayer_identifier"] == "12345676-1-05"
    assert body["data"]["represents_as"] == "ügyvezető"
    assert "12\u00a0000\u00a0000" in text(client.get(case))
    draft = begin(client, "hipa")
    fill(client, draft, HIPA[:3])
    fill(client, draft, [("adozo", {**HIPA[1][1], "taxpayer_kind": "person"})])
    assert client.get(f"{draft}/lepes/kepviselet").status_code == 302
    with serve("elugy"):
        assert "represents_as" not in Submission.objects.get(arrival_number=None).answers


def test_what_is_wrong_is_said_and_kept_out(monkeypatch):
    monkeypatch.setattr("systems.elugy.views._has_system", lambda target, ksh: True)
    client = citizen()
    draft = begin(client, "hipa")
    fill(client, draft, HIPA[:1])
    wrong = client.post(f"{draft}/lepes/adozo", {**HIPA[1][1], "taxpayer_identifier": "12345675-1-05", "revision": "1"})
    assert wrong.status_code == 422
    assert "ellenőrző számjegye hibás" in text(wrong)
    fill(client, draft, HIPA[1:4])
    wrong = client.post(f"{draft}/lepes/adoalap", {**HIPA[4][1], "tax_base": "9 000 000", "revision": "4"})
    assert wrong.status_code == 422
    assert "10\u00a0000\u00a0000\u00a0Ft" in text(wrong)
    page = client.get(f"{draft}/ellenorzes")
    assert "hiányos" in text(page) and 'id="bekuldes"' not in text(page)
    assert client.post(f"{draft}/ellenorzes")["Location"] == f"{draft}/ellenorzes"


def test_a_draft_is_saved_half_done_and_gone_on_with():
    client = citizen()
    draft = begin(client)
    page = client.post(f"{draft}/lepes/kerelem", {"subject": "Fa", "text": "", "kesobb": "1", "revision": "0"})
    assert page["Location"] == "/elugy/ugyeim/"
    assert "Általános kérelem" in text(citizen().get("/elugy/ugyeim/"))
    assert 'value="Fa"' in text(citizen().get(f"{draft}/lepes/kerelem"))


def test_a_double_click_begins_one_draft(serve):
    client = citizen()
    assert begin(client) == begin(client)
    with serve("elugy"):
        assert Submission.objects.count() == 1


def test_two_windows_do_not_overwrite_each_other(serve):
    client = citizen()
    draft = begin(client)
    assert client.post(f"{draft}/lepes/ugyfel", {"address": "egy", "revision": "0"})["Location"].endswith("kerelem")
    repeat = client.post(f"{draft}/lepes/ugyfel", {"address": "egy", "revision": "0"})
    assert repeat["Location"].endswith("kerelem"), "a double click is no other window"
    late = client.post(f"{draft}/lepes/ugyfel", {"address": "kettő", "revision": "0"})
    assert late["Location"] == f"{draft}/lepes/ugyfel"
    with serve("elugy"):
        assert Submission.objects.get().data["address"] == "egy"


@pytest.mark.parametrize("path", ["", "/nyugta"])
def test_nobody_sees_anothers_case(path):
    case = submit(citizen())
    assert citizen().get(case + path).status_code == 200
    assert citizen(OTHER).get(case + path).status_code == 404
    assert citizen(IDENTIFIER, ksh=THEIRS).get(case + path).status_code == 404


@pytest.mark.parametrize("path", ["/lepes/ugyfel", "/mellekletek", "/ellenorzes"])
def test_nobody_sees_anothers_draft(path):
    draft = begin(citizen())
    assert citizen(OTHER).get(draft + path).status_code == 404
    assert citizen(OTHER).post(f"{draft}/torles").status_code == 404
    assert citizen().get(draft + path).status_code == 200


def test_files_are_taken_by_what_they_are_and_once(node):
    from django.core.files.uploadedfile import SimpleUploadedFile as Upload

    client = citizen()
    draft = begin(client)
    fill(client, draft, GENERAL)
    url = f"{draft}/mellekletek/uj"
    for _ in range(2):
        assert client.post(url, {"file": Upload("igazolás.pdf", PDF)}).status_code == 302
    wrong = client.post(url, {"file": Upload("program.pdf", b"MZ...")})
    assert (wrong.status_code, "Csak PDF, JPEG vagy PNG" in text(wrong)) == (422, True)
    huge = client.post(url, {"file": Upload("nagy.pdf", PDF + bytes(4 * 1024**2))})
    assert (huge.status_code, "legfeljebb 3 MB" in text(huge)) == (413, True)
    page = text(client.get(f"{draft}/mellekletek"))
    assert page.count("igazolás.pdf</a>") == 1
    back = client.get(re.search(r'href="(/elugy/ugyeim/[^"]+/melleklet/\d+)"', page)[1])
    assert (back.content, back["Content-Type"]) == (PDF, "application/pdf")
    assert back["Content-Disposition"].startswith("attachment;")
    client.post(f"{draft}/ellenorzes")
    [(_, _, _, body)] = messages(node)
    assert [(f["name"], f["type"]) for f in body["attachments"]] == [("igazolás.pdf", "application/pdf")]


def test_a_file_without_the_forms_token_is_refused():
    client = citizen()
    draft = begin(client)
    client.handler.enforce_csrf_checks = True
    page = client.post(f"{draft}/mellekletek/uj", {"file": b""})
    assert (page.status_code, "Az űrlap lejárt" in text(page)) == (403, True)


def test_files_together_have_a_limit(node):
    from django.core.files.uploadedfile import SimpleUploadedFile as Upload

    with node.superuser("t16054") as session:
        session.execute("UPDATE elugy.parameter SET value = 20 WHERE name = 'attachments_bytes'")
    client = citizen()
    draft = begin(client)
    assert client.post(f"{draft}/mellekletek/uj", {"file": Upload("a.pdf", PDF)}).status_code == 302
    assert client.post(f"{draft}/mellekletek/uj", {"file": Upload("b.pdf", PDF + b"2")}).status_code == 422


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE submission SET data = '{}'",
        "UPDATE submission SET arrival_number = 'EU/2026/77'",
        "DELETE FROM submission",
        "UPDATE event SET text = 'más'",
        "DELETE FROM event",
        "INSERT INTO attachment (submission_id, name, type, size, sha256, content) "
        "SELECT id, 'a', 'b', 1, 'c', 'd' FROM submission",
    ],
)
def test_what_was_sent_never_changes(serve, sql):
    submit(citizen())
    refusal = pytest.raises(DatabaseError, match="never change|only ever added")
    with serve("elugy"), refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_numbers_have_no_gaps_when_many_send_at_once(serve):
    from systems import tenancy
    from systems.elugy import submitting

    with serve("elugy"):
        ids = [
            Submission.objects.create(
                form="altalanos",
                version=1,
                identifier=IDENTIFIER,
                name="Próba",
                data={"address": "a", "subject": "b", "text": "c"} if n % 5 else {},
            ).pk
            for n in range(40)
        ]

        def work(mine):
            with tenancy.serving(tenancy.Tenant(OURS, None)):
                for pk in mine:
                    try:
                        submitting.submit(pk, IDENTIFIER)
                    except submitting.Incomplete:
                        continue
            connection.close()

        threads = [threading.Thread(target=work, args=(ids[n % 2 :: 2] if n < 4 else ids,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        numbers = Submission.objects.exclude(arrival_number=None).values_list("arrival_number", flat=True)
        assert sorted(int(number.rpartition("/")[2]) for number in numbers) == list(range(1, 33))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), count(DISTINCT key) FROM chain.message WHERE topic = 'submission'")
            assert cursor.fetchone() == (32, 32)


def test_the_receipt_is_a_pdf_with_the_number():
    client = citizen()
    answer = client.get(submit(client) + "/nyugta")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert "nyugta-EU-" in answer["Content-Disposition"]


def test_the_status_comes_over_the_chain(serve, deliver):
    from systems.chain import messages as chain
    from systems.chain import relay

    client = citizen()
    case = submit(client)
    key = case.rpartition("/")[2]

    def tell(status, number, at):
        with serve("irat"), transaction.atomic():
            body = {"submission": key, "status": status, "number": number, "text": f"hír: {status}", "at": at}
            chain.send("elugy", "status", body, key)
        with serve("elugy"):
            return relay.deliver()

    assert tell("registered", "IKT/2026/7-1", "2026-11-23T10:00:00Z") == 1
    page = text(client.get(case))
    assert "iktatva" in page and "IKT/2026/7-1" in page and "11:00" in page
    assert tell("decided", "IKT/2026/7-2", "2026-11-24T10:00:00Z") == 1
    assert tell("in-progress", "IKT/2026/7-1", "2026-11-23T12:00:00Z") == 1
    with serve("elugy"):
        assert Submission.objects.get().status == "decided"
        assert list(Event.objects.values_list("status", flat=True)) != []
    assert "elintézve" in text(client.get("/elugy/ugyeim/"))


def test_old_drafts_are_removed_with_their_files_and_nothing_else(serve, node):
    import datetime as dt

    from systems.elugy import jobs

    submit(citizen())
    client = citizen()
    begin(client)
    with serve("elugy"):
        Submission.objects.filter(arrival_number=None).update(updated_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        begin_other = Submission.objects.create(form="altalanos", version=1, identifier=OTHER, name="Más")
        jobs.remove_old_drafts(dt.date(2026, 11, 23))
        assert set(Submission.objects.values_list("arrival_number", flat=True)) >= {None}
        assert Submission.objects.filter(pk=begin_other.pk).exists()
        assert Submission.objects.count() == 2


def test_clerks_see_what_arrived_and_citizens_do_not_get_there(browse):
    case = submit(citizen())
    clerk = browse("elugy", "ugyintezo")
    page = text(clerk.get("/elugy/ugyintezo/"))
    assert "Próba Piroska" in page
    page_text = text(clerk.get(f"/elugy/ugyintezo/{case.rpartition('/')[2]}"))
    assert "Kidőlt." in page_text
    assert "Általános kérelem" in text(clerk.get("/elugy/ugyintezo/statisztika"))
    assert "Nincs ilyen" in text(clerk.get("/elugy/ugyintezo/?q=nincsilyen"))
    for path in ("/elugy/ugyintezo/", "/elugy/ugyintezo/statisztika"):
        assert citizen().get(path)["Location"].endswith("belepes?next=" + path.replace("/", "%2F"))
        assert citizen().get(path)["Location"].find("/ugyfel/") == -1
        assert browse("elugy", "olvaso").get(path).status_code == 403
    draft = begin(citizen())
    assert clerk.get(f"/elugy/ugyintezo/{draft.rpartition('/')[2]}").status_code == 404
    assert clerk.get(case)["Location"].startswith("/elugy/ugyfel/belepes"), "a clerk is no citizen"


@pytest.mark.parametrize("served", [False, True])
def test_the_balance_is_said_to_be_absent_without_the_tax_systems_view(node, monkeypatch, served):
    with node.superuser("t16054") as session:
        session.execute("DROP VIEW IF EXISTS ado.citizen_balance CASCADE")
    monkeypatch.setattr("systems.elugy.views._has_system", lambda target, ksh: served)
    page = citizen().get("/elugy/adoegyenleg")
    assert (page.status_code, "nem kérdezhető le" in text(page)) == (200, True)


def test_the_balance_is_ones_own_as_the_tax_system_has_it(serve):
    from systems.ado import assessing
    from systems.ado.models import Return, Tax, Taxpayer

    with serve("ado"):
        tax = Tax.objects.get(code="hipa")
        for identifier, base in ((IDENTIFIER, 1_000_000), (OTHER, 77_000_000)):
            entry = Return.objects.create(
                tax=tax, identifier=identifier, name="Próba", address="Fő utca 1.", year=2023, base=base
            )
            assessing.accept(entry.pk, "Minta Ilona")
        owed, others = (Taxpayer.objects.get(identifier=i).balance() for i in (IDENTIFIER, OTHER))
    page = text(citizen().get("/elugy/adoegyenleg"))
    assert owed.due > 0 and money.to_text(owed.owed) in page and money.to_text(owed.interest) in page
    assert money.to_text(others.owed) not in page
    assert "nincs nyilvántartott" in text(citizen("8393088550").get("/elugy/adoegyenleg"))


def test_the_feed_counts_and_names_nobody(serve):
    from django.utils import timezone

    from systems.elugy import feed
    from systems.exchange import feeding

    submit(citizen())
    begin(citizen())
    with serve("elugy"):
        rows = feed.rows(timezone.localdate())
    assert feeding.fault(rows) is None
    assert {(row["measure"], row["dimension"], row["value"]) for row in rows} == {
        ("beküldött űrlap", "altalanos", 1),
        ("ügy", "beküldve", 1),
    }


def test_invented_forms_are_whole_and_right(serve):
    from random import Random

    from systems.elugy import submitting, synthetic

    with serve("elugy"):
        synthetic.fill(Random(7), 6000)
        submissions = list(Submission.objects.all())
        assert {submission.form for submission in submissions} == {"hipa", "kereskedelem", "hagyatek", "altalanos"}
        assert [submission.form for submission in submissions if submitting.incomplete_steps(submission)] == []

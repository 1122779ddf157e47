"""The municipality's rates: changed by a clerk, with a source, and never for the past."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from systems.ado import assessing
from systems.ado.models import Assessment, Instalment, InterestRate, Tax, Taxpayer


@pytest.fixture
def clerk(browse):
    return browse("ado", "ugyintezo")


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def test_everybody_sees_the_terms_and_which_are_assumed(browse):
    page = text_of(browse("ado", "olvaso", username="olvaso.otto", name="Olvasó Ottó").get("/ado/mertekek/"))
    assert "Helyi iparűzési adó" in page and "10,00 %" in page and page.count("feltételezett</span>") == 7
    assert "3. hónap 15. (50 %)" in page and "Mérték módosítása" not in page and "Esedékesség módosítása" not in page


def test_a_rate_by_decree_is_no_longer_assumed_and_changes_no_assessment(clerk, serve):
    with serve("ado"):
        taxpayer = Taxpayer.objects.create(identifier="8472765075", name="Próba", address="Sajószentpéter")
        tax = Tax.objects.get(pk="hipa")
        assessment = Assessment.objects.create(
            taxpayer=taxpayer, tax=tax, year=2025, base=1_000_000, per_mille=20, amount=20_000, made_by="Próba"
        )
    decree = "12/2025. (XI. 28.) önkormányzati rendelet"
    assert clerk.post("/ado/mertekek/hipa", {"per_mille": "15", "source": decree}).status_code == 302
    page = text_of(clerk.get("/ado/mertekek/"))
    assert decree in page and page.count("feltételezett</span>") == 6
    with serve("ado"):
        assessment.refresh_from_db()
        assert (assessment.per_mille, assessment.amount) == (20, 20_000)
        assert assessing.tax_of(1_000_000, Tax.objects.get(pk="hipa").per_mille) == 15_000


@pytest.mark.parametrize(
    "data", [{"per_mille": "1001", "source": "x"}, {"per_mille": "-1", "source": "x"}, {"per_mille": "15"}]
)
def test_a_senseless_rate_is_refused(clerk, serve, data):
    assert clerk.post("/ado/mertekek/hipa", data).status_code == 422
    with serve("ado"):
        assert Tax.objects.get(pk="hipa").per_mille == 20


def test_interest_follows_a_new_rate_from_its_day_on(clerk, serve):
    today = timezone.localdate()
    since = today - dt.timedelta(days=10)
    with serve("ado"):
        taxpayer = Taxpayer.objects.create(identifier="8472765075", name="Próba", address="Sajószentpéter")
        assessment = Assessment.objects.create(
            taxpayer=taxpayer, tax_id="hipa", year=2025, base=1, per_mille=1, amount=7_300_000, made_by="Próba"
        )
        Instalment.objects.create(assessment=assessment, due=today - dt.timedelta(days=30), amount=7_300_000)
        before = taxpayer.balance(since - dt.timedelta(days=1)).interest
        assert taxpayer.balance().interest == 30 * 1_971, "0.027 % a day"
    data = {"since": since.isoformat(), "percent": "20,5".replace(",", "."), "source": "jegybanki alapkamat"}
    assert clerk.post("/ado/mertekek/potlek/uj", data).status_code == 302
    with serve("ado"):
        assert taxpayer.balance(since - dt.timedelta(days=1)).interest == before == 19 * 1_971, "what is past stays"
        assert taxpayer.balance().interest == 19 * 1_971 + 11 * 4_088, "0.056 % from its first day on"
    refusal = clerk.post("/ado/mertekek/potlek/uj", data)
    assert refusal.status_code == 422 and "csak ennél később kezdődhet" in text_of(refusal)
    with serve("ado"):
        assert InterestRate.objects.count() == 2


def test_a_reader_changes_nothing(browse, serve):
    reader = browse("ado", "olvaso", username="olvaso.otto", name="Olvasó Ottó")
    assert reader.post("/ado/mertekek/hipa", {"per_mille": "1", "source": "x"}).status_code == 403
    assert reader.get("/ado/mertekek/potlek/uj").status_code == 403
    assert reader.post("/ado/mertekek/hipa/esedekesseg", BUILDING).status_code == 403


BUILDING = {
    "year_offset": "0",
    "by_decision": "on",
    "notice_days": "30",
    "day_1": "04-15",
    "share_1": "40",
    "day_2": "10. 15.",
    "share_2": "60",
    "source": "8/2026. (V. 1.) önkormányzati rendelet",
}


@pytest.mark.parametrize(
    ("code", "year", "amount", "decided", "parts"),
    [
        ("hipa", 2024, 1001, None, {"2025-06-02": 1001}),  # 31 May 2025 is a Saturday
        ("hipa", 2024, 1001, dt.date(2026, 2, 2), {"2025-06-02": 1001}),  # its taxpayer knew the day without the office
        ("epitmeny", 2026, 1001, None, {"2026-03-16": 501, "2026-09-15": 500}),  # 15 March: a holiday, here on a Sunday
        ("epitmeny", 2024, 1001, None, {"2024-03-18": 501, "2024-09-16": 500}),
        ("telek", 2026, 1000, dt.date(2026, 4, 20), {"2026-05-05": 500, "2026-09-15": 500}),
        ("telek", 2025, 1000, dt.date(2026, 4, 20), {"2026-05-05": 1000}),
    ],
)
def test_each_tax_is_due_by_its_own_rule_on_a_working_day(serve, code, year, amount, decided, parts):
    with serve("ado"):
        result = assessing.instalments(Tax.objects.get(pk=code), amount, year, decided)
    assert {str(day): part for day, part in result} == parts


def test_due_days_by_decree_are_no_longer_assumed_and_move_no_instalment(clerk, serve):
    with serve("ado"):
        taxpayer = Taxpayer.objects.create(identifier="8472765075", name="Próba", address="Sajószentpéter")
        assessment = Assessment.objects.create(
            taxpayer=taxpayer, tax_id="hipa", year=2025, base=1, per_mille=1, amount=1000, made_by="Próba"
        )
        Instalment.objects.create(assessment=assessment, due=dt.date(2026, 3, 15), amount=1000)
    assert "05-31" in text_of(clerk.get("/ado/mertekek/hipa/esedekesseg"))
    assert clerk.post("/ado/mertekek/hipa/esedekesseg", BUILDING).status_code == 302
    page = text_of(clerk.get("/ado/mertekek/"))
    assert BUILDING["source"] in page and page.count("feltételezett</span>") == 6
    assert "4. hónap 15. (40 %), 10. hónap 15. (60 %)" in page and "határozat után 30 nap" in page
    with serve("ado"):
        assert assessment.instalments.get().due == dt.date(2026, 3, 15)
        parts = assessing.instalments(Tax.objects.get(pk="hipa"), 1000, 2026)
        assert parts == [(dt.date(2026, 4, 15), 400), (dt.date(2026, 10, 15), 600)]
        assert Tax.objects.get(pk="hipa").per_mille == 20


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"share_1": "50"}, "most 110 %"),
        ({"day_1": "02-29"}, "Minden évben meglévő nap"),
        ({"day_1": "13-01"}, "Minden évben meglévő nap"),
        ({"day_1": "március"}, "Minden évben meglévő nap"),
        ({"day_2": "04-15"}, "Ez a nap már szerepel"),
        ({"share_2": ""}, "2. részlet napját és arányát is"),
        ({"day_1": ""}, "ki kell tölteni: 1. részlet napja"),
        ({"notice_days": "-1"}, "az érték 0, vagy nagyobb"),
        ({"year_offset": "2"}, "Válasszon a felsoroltak közül"),
        ({"source": ""}, "ki kell tölteni: forrás"),
    ],
)
def test_senseless_due_days_are_refused(clerk, serve, changes, cause):
    refusal = clerk.post("/ado/mertekek/hipa/esedekesseg", BUILDING | changes)
    assert (refusal.status_code, cause in text_of(refusal)) == (422, True), text_of(refusal)
    with serve("ado"):
        assert Tax.objects.get(pk="hipa").due_days.get().month == 5

"""Rates of the municipality: changed by a clerk, with a source, and never for what is past."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from systems.ado import assessing
from systems.ado.models import Assessment, Instalment, InterestRate, Tax, Taxpayer


@pytest.fixture
def clerk(browse):
    return browse("ado", "ugyintezo")


def shown(page):
    return re.sub(r"\s+", " ", page.content.decode())


def test_everybody_sees_the_terms_and_which_are_assumed(browse):
    page = shown(browse("ado", "olvaso", username="olvaso.otto", name="Olvasó Ottó").get("/ado/mertekek/"))
    assert "Helyi iparűzési adó" in page and "10,00 %" in page and page.count("feltételezett</span>") == 4
    assert "3. hónap 15. (50 %)" in page and "Mérték módosítása" not in page


def test_a_rate_by_decree_is_no_longer_assumed_and_changes_no_assessment(clerk, serve):
    with serve("ado"):
        taxpayer = Taxpayer.objects.create(identifier="8472765075", name="Próba", address="Sajószentpéter")
        tax = Tax.objects.get(pk="hipa")
        made = Assessment.objects.create(
            taxpayer=taxpayer, tax=tax, year=2025, base=1_000_000, per_mille=20, amount=20_000, made_by="Próba"
        )
    decree = "12/2025. (XI. 28.) önkormányzati rendelet"
    assert clerk.post("/ado/mertekek/hipa", {"per_mille": "15", "source": decree}).status_code == 302
    page = shown(clerk.get("/ado/mertekek/"))
    assert decree in page and page.count("feltételezett</span>") == 3
    with serve("ado"):
        made.refresh_from_db()
        assert (made.per_mille, made.amount) == (20, 20_000)
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
        made = Assessment.objects.create(
            taxpayer=taxpayer, tax_id="hipa", year=2025, base=1, per_mille=1, amount=3_650_000, made_by="Próba"
        )
        Instalment.objects.create(assessment=made, due=today - dt.timedelta(days=30), amount=3_650_000)
        before = taxpayer.balance(since).interest
        assert taxpayer.balance().interest == 30 * 1_000
    data = {"since": since.isoformat(), "percent": "20,5".replace(",", "."), "source": "jegybanki alapkamat"}
    assert clerk.post("/ado/mertekek/potlek/uj", data).status_code == 302
    with serve("ado"):
        assert taxpayer.balance(since).interest == before, "what is past stays"
        assert taxpayer.balance().interest == 20 * 1_000 + 10 * 2_050
    refused = clerk.post("/ado/mertekek/potlek/uj", data)
    assert refused.status_code == 422 and "csak ennél később kezdődhet" in shown(refused)
    with serve("ado"):
        assert InterestRate.objects.count() == 2


def test_a_reader_changes_nothing(browse, serve):
    reader = browse("ado", "olvaso", username="olvaso.otto", name="Olvasó Ottó")
    assert reader.post("/ado/mertekek/hipa", {"per_mille": "1", "source": "x"}).status_code == 403
    assert reader.get("/ado/mertekek/potlek/uj").status_code == 403

"""The whole chain in one municipality: form, registration, decision, answer, nightly figures."""

import datetime as dt
import re

from django.utils import timezone

from systems.adattar.models import Figure
from systems.ado.models import Return, Taxpayer
from systems.chain import relay
from systems.hagyatek.models import Estate, Notary
from systems.iparker.models import Entry, Notification
from systems.irat.models import Document
from tests.systems.elugy.support import OTHER, citizen, submit
from tests.systems.elugy.test_forms import HIPA

TRADE = [
    ("ugyfel", {"address": "3770 Sajószentpéter, Minta utca 1."}),
    (
        "kereskedo",
        {"trader_name": "Minta Kft.", "trader_identifier": "12345676-1-05", "trader_address": "Sajószentpéter"},
    ),
    ("tevekenyseg", {"activity": "élelmiszer-kiskereskedelem", "form": "shop", "since": "2026-01-05"}),
    (
        "uzlet",
        {
            "shop_name": "Minta Bolt",
            "shop_address": "Sajószentpéter, Fő út 1.",
            "floor_area": "80",
            "opening_hours": "H–P 8.00–16.30",
            "alcohol": "no",
        },
    ),
    ("nyilatkozat", {"truth": "on"}),
]

ESTATE = [
    ("ugyfel", {"address": "3770 Sajószentpéter, Minta utca 1."}),
    (
        "elhunyt",
        {
            "deceased_name": "Elhunyt Elemér",
            "deceased_birth_name": "Elhunyt Elemér",
            "deceased_born": "1940-05-01",
            "deceased_died": "2026-03-01",
            "deceased_address": "Sajószentpéter, Fő út 1.",
            "applicant_relation": "child",
        },
    ),
    (
        "orokos-1",
        {"heir_1_name": "Próba Piroska", "heir_1_relation": "child", "heir_1_address": "Fő út 1.", "heir_1_more": "no"},
    ),
    (
        "hagyatek",
        {"has_real_estate": "yes", "has_vehicles": "no", "has_bank": "no", "has_movables": "no", "has_debts": "no"}
        | {"has_will": "no"},
    ),
    ("vagyon-1", {"real_estate": "Sajószentpéter 123/4 hrsz., ház, 1/2", "real_estate_value": "12 000 000"}),
    ("nyilatkozat", {"truth": "on"}),
]


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def test_a_tax_return_goes_all_the_way_and_back(browse, serve, deliver, monkeypatch):
    piroska, clerk = citizen(), browse("ado", "ugyintezo", username="ado.adel", name="Adó Adél")
    case = submit(piroska, "hipa", HIPA)
    deliver()
    with serve("ado"):
        entry = Return.objects.get()
    page = text_of(piroska.get(case))
    assert entry.number in page, "the citizen sees the number that the records system gave"
    assert clerk.post(f"/ado/bevallasok/{entry.pk}/elfogadas").status_code == 302
    deliver()
    page = text_of(piroska.get(case))
    assert "A bevallást elfogadtuk" in page
    (paper,) = re.findall(rf'href="({case}/irat/[0-9]+/fajl)">dontes-IKT-', page)
    assert piroska.get(paper).content.startswith(b"%PDF"), "the citizen has the decision"
    assert citizen(OTHER).get(paper).status_code == 404, "and nobody else"
    with serve("irat"):
        numbers = list(Document.objects.order_by("sub").values_list("number", "direction"))
    main = entry.number.rsplit("-", 1)[0]
    assert numbers == [(f"{main}-1", "in"), (f"{main}-2", "out")]
    with serve("ado"):
        assert Taxpayer.objects.count() == 1

    night = timezone.localtime().replace(hour=2) + dt.timedelta(days=1)
    monkeypatch.setattr(relay.timezone, "localtime", lambda *_: night)
    for system in ("irat", "ado"):
        with serve(system):
            relay.run_jobs()
    deliver()
    with serve("adattar"):
        figures_of = dict(Figure.objects.filter(measure="bevallás").values_list("dimension", "value"))
        documents = dict(Figure.objects.filter(measure="iktatott irat").values_list("dimension", "value"))
    assert figures_of == {"elfogadva": 1}
    assert documents == {"bejövő": 1, "kimenő": 1}


def figures_of(serve, deliver, monkeypatch, system):
    """A system's figures in the warehouse after the next night: measure and dimension → value."""
    night = timezone.localtime().replace(hour=2) + dt.timedelta(days=1)
    monkeypatch.setattr(relay.timezone, "localtime", lambda *_: night)
    with serve(system):
        relay.run_jobs()
    deliver()
    with serve("adattar"):
        return {(m, d): v for m, d, v in Figure.objects.values_list("measure", "dimension", "value")}


def test_a_notified_trade_gets_into_the_public_register(browse, serve, deliver, monkeypatch):
    piroska, clerk = citizen(), browse("iparker", "ugyintezo", username="ipar.imre", name="Ipar Imre")
    case = submit(piroska, "kereskedelem", TRADE)
    deliver()
    with serve("iparker"):
        entry = Notification.objects.get()
    page = text_of(piroska.get(case))
    assert entry.number in page and "A kereskedelmi ügyintéző megkapta" in page
    data = {name: value for _, answers in TRADE[1:4] for name, value in answers.items()}
    data |= {"site": data.pop("shop_address"), "products": ["1.9"]}
    del data["alcohol"]
    assert clerk.post(f"/iparker/bejelentesek/{entry.pk}/adatok", data).status_code == 302
    clerk.post(f"/iparker/bejelentesek/{entry.pk}/nyilvantartasba")
    deliver()
    with serve("iparker"):
        register_entry = Entry.objects.get()
    assert f"{register_entry.number} számon nyilvántartásba vettük" in text_of(piroska.get(case))
    with serve("irat"):
        answer = Document.objects.get(direction="out")
        assert (answer.registered_by, answer.attachments.count()) == ("Ipar Imre", 1)
    page = text_of(browse("portal").get("/portal/uzletek"))
    assert register_entry.number in page and "Minta Kft. – Minta Bolt" in page and "12345676" not in page
    figures = figures_of(serve, deliver, monkeypatch, "iparker")
    assert figures["nyilvántartott tevékenység", "bejelentés-köteles tevékenység"] == 1
    assert figures["bejelentés", "nyilvántartásba véve"] == 1


def test_a_statement_about_an_estate_gets_to_the_notary(browse, serve, deliver, monkeypatch):
    piroska, clerk = citizen(), browse("hagyatek", "ugyintezo", username="hagya.hanna", name="Hagya Hanna")
    case = submit(piroska, "hagyatek", ESTATE)
    deliver()
    with serve("hagyatek"):
        estate = Estate.objects.get()
        notary = Notary.objects.create(name="dr. Minta Mária", seat="Miskolc", address="x")
        notary.areas.create(settlement="Sajószentpéter")
        assert list(estate.assets.values_list("reference", "share_whole", "value")) == [("123/4", 2, 12_000_000)]
    page = text_of(piroska.get(case))
    assert estate.number in page and "A hagyatéki ügyintéző megkapta" in page
    deceased = dict(ESTATE[1][1])
    answers = {name.removeprefix("deceased_"): value for name, value in deceased.items()}
    answers |= {"number": estate.number, "reporter": estate.reporter, "received_on": str(estate.received_on)}
    answers |= {"mother_name": "Minta Mária", "birth_place": "Miskolc", "death_place": "Miskolc", "marital": "widowed"}
    assert clerk.post(f"/hagyatek/leltar/{estate.pk}/adatok", answers).status_code == 302
    handover = {"notary": str(notary.pk), "day": str(timezone.localdate()), "way": "electronic"}
    assert clerk.post(f"/hagyatek/leltar/{estate.pk}/atadas", handover).status_code == 302
    deliver()
    assert "átadtuk dr. Minta Mária közjegyzőnek" in text_of(piroska.get(case))
    with serve("irat"):
        answer = Document.objects.get(direction="out")
        assert (answer.registered_by, answer.attachments.count()) == ("Hagya Hanna", 1)
    figures = figures_of(serve, deliver, monkeypatch, "hagyatek")
    assert figures["hagyatéki leltár", "átadva a közjegyzőnek"] == 1


def test_a_service_that_is_away_in_between_loses_and_doubles_nothing(browse, serve, deliver):
    """Each system handles its messages alone, in any order, and again."""
    piroska, clerk = citizen(), browse("ado", "ugyintezo")
    case = submit(piroska, "hipa", HIPA)
    for system in ("elugy", "ado", "irat", "elugy", "irat", "ado", "elugy"):
        with serve(system):
            relay.deliver()
    with serve("ado"):
        entry = Return.objects.get()
    clerk.post(f"/ado/bevallasok/{entry.pk}/elfogadas")
    for system in ("elugy", "irat", "irat", "elugy"):
        with serve(system):
            relay.deliver()
    assert text_of(piroska.get(case)).count("A bevallást elfogadtuk") == 1
    with serve("irat"):
        assert Document.objects.count() == 2

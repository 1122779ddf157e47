"""The whole chain in one municipality: a form, the records, the tax decision, the answer, the night's count."""

import datetime as dt
import re

from django.utils import timezone

from systems.adattar.models import Figure
from systems.ado.models import Return, Taxpayer
from systems.chain import relay
from systems.irat.models import Document
from tests.systems.elugy.support import citizen, sent
from tests.systems.elugy.test_forms import HIPA


def shown(page):
    return re.sub(r"\s+", " ", page.content.decode())


def test_a_tax_return_goes_all_the_way_and_back(browse, serve, deliver, monkeypatch):
    piroska, clerk = citizen(), browse("ado", "ugyintezo", username="ado.adel", name="Adó Adél")
    case = sent(piroska, "hipa", HIPA)
    deliver()
    with serve("ado"):
        entry = Return.objects.get()
    page = shown(piroska.get(case))
    assert entry.number in page, "the citizen sees the number that the records system gave"
    assert clerk.post(f"/ado/bevallasok/{entry.pk}/elfogadas").status_code == 302
    deliver()
    page = shown(piroska.get(case))
    assert "A bevallást elfogadtuk" in page
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
        counted = dict(Figure.objects.filter(measure="bevallás").values_list("dimension", "value"))
        documents = dict(Figure.objects.filter(measure="iktatott irat").values_list("dimension", "value"))
    assert counted == {"elfogadva": 1}
    assert documents == {"bejövő": 1, "kimenő": 1}


def test_a_service_that_is_away_in_between_loses_and_doubles_nothing(browse, serve, deliver):
    """Each system handles its mail alone, in any order, and again."""
    piroska, clerk = citizen(), browse("ado", "ugyintezo")
    case = sent(piroska, "hipa", HIPA)
    for system in ("elugy", "ado", "irat", "elugy", "irat", "ado", "elugy"):
        with serve(system):
            relay.deliver()
    with serve("ado"):
        entry = Return.objects.get()
    clerk.post(f"/ado/bevallasok/{entry.pk}/elfogadas")
    for system in ("elugy", "irat", "irat", "elugy"):
        with serve(system):
            relay.deliver()
    assert shown(piroska.get(case)).count("A bevallást elfogadtuk") == 1
    with serve("irat"):
        assert Document.objects.count() == 2

"""Several registers: leaders open them, clerks choose where a case is opened, and last year's is closed in January."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from systems.irat import views
from systems.irat.models import Case, Document, Incoming, Register
from systems.keret.models import Activity
from tests.systems.irat.test_handling import text

YEAR = timezone.localdate().year


@pytest.fixture
def boss(browse):
    return browse("irat", "vezeto", "iktato")


def letter(**changes):
    data = {"token": str(uuid.uuid4()), "sender": "Minta Kft.", "subject": "Panasz", "arrival": "post", "note": ""}
    return data | {"received_on": timezone.localdate()} | changes


def numbers(serve):
    with serve("irat"):
        return list(Document.objects.order_by("id").values_list("number", flat=True))


def test_a_case_is_opened_in_the_register_that_was_chosen(boss, browse, serve, deliver):
    assert 'name="register"' not in text(boss.get("/irat/uj")), "of one register nothing is asked"
    assert "Iktatókönyv megnyitása" in text(boss.get("/irat/iktatokonyvek/"))
    assert boss.post("/irat/iktatokonyvek/uj", {"prefix": "SZERV", "year": YEAR}).status_code == 302
    repeat = boss.post("/irat/iktatokonyvek/uj", {"prefix": "SZERV", "year": YEAR})
    assert (repeat.status_code, f"Ez az iktatókönyv már megvan: SZERV/{YEAR}." in text(repeat)) == (422, True)
    deliver()
    with serve("keret"):
        assert Activity.objects.filter(action="iktatókönyv megnyitása", subject=f"SZERV/{YEAR}").count() == 1
    page = text(boss.get("/irat/uj"))
    assert page.index('value="IKT"') < page.index('value="SZERV"')
    assert boss.post("/irat/uj", letter(register="SZERV")).status_code == 302
    assert boss.post("/irat/uj", letter(register="IKT")).status_code == 302
    assert boss.post("/irat/uj", letter(register="NINCS")).status_code == 422
    with serve("irat"):
        item = Incoming.objects.create(number="ERK/x", sender="x", received_on=timezone.localdate(), booked_by="x")
    boss.post(f"/irat/erkeztetes/{item.pk}/iktatas", letter(register="SZERV"))
    assert numbers(serve) == [f"SZERV/{YEAR}/1-1", f"IKT/{YEAR}/1-1", f"SZERV/{YEAR}/2-1"]


@pytest.mark.parametrize("prefix", ["szerv", "SZ/1", "", "TIZENEGYBETU"])
def test_a_register_has_a_plain_prefix(boss, serve, prefix):
    assert boss.post("/irat/iktatokonyvek/uj", {"prefix": prefix, "year": YEAR}).status_code == 422
    assert boss.post("/irat/iktatokonyvek/uj", {"prefix": "SZERV", "year": YEAR - 1}).status_code == 422
    with serve("irat"):
        assert not Register.objects.exists()


def test_only_leaders_open_registers(browse):
    clerk = browse("irat", "iktato", "ugyintezo", "olvaso")
    assert clerk.get("/irat/iktatokonyvek/uj").status_code == 403
    assert clerk.post("/irat/iktatokonyvek/uj", {"prefix": "SZERV", "year": YEAR}).status_code == 403
    assert "Iktatókönyv megnyitása" not in text(clerk.get("/irat/iktatokonyvek/"))


@pytest.mark.parametrize(("state", "prefix"), [("open", "SZERV"), ("closed", "IKT"), ("", "IKT")])
def test_a_case_of_a_closed_register_goes_on_under_its_own_prefix_where_it_can(serve, state, prefix):
    with serve("irat"):
        closed = Register.objects.create(prefix="SZERV", year=2020, last_main=1, closed_at=timezone.now())
        if state:
            Register.objects.create(prefix="SZERV", year=YEAR, closed_at=timezone.now() if state == "closed" else None)
        later = Document(sender="x", subject="x", received_on=timezone.localdate(), registered_by="x")
        later.register(Case.objects.create(register=closed, main=1))
    assert numbers(serve) == [f"{prefix}/{YEAR}/1-1"]


@pytest.mark.parametrize(("month", "role", "hint"), [(1, "vezeto", True), (2, "vezeto", False), (1, "iktato", False)])
def test_in_january_leaders_are_reminded_of_last_years_register(browse, serve, monkeypatch, month, role, hint):
    with serve("irat"):
        Register.objects.create(prefix="IKT", year=YEAR - 1)
        Register.objects.create(prefix="SZERV", year=YEAR - 1, closed_at=timezone.now())
    monkeypatch.setattr(views.timezone, "localdate", lambda *_: dt.date(YEAR, month, 5))
    page = text(browse("irat", role).get("/irat/"))
    assert (f"A tavalyi iktatókönyv még nyitott: IKT/{YEAR - 1}." in page) is hint

"""Estates on a real database: from a statement to the notary, exact to the forint, then locked, visible to few."""

import base64
import datetime as dt
import hashlib
import io
import json
import re
import threading
import uuid
import zipfile
from xml.etree import ElementTree as ET

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems import tenancy
from systems.chain import relay, send
from systems.core.errors import NotPossible
from systems.exchange import cases, feeding
from systems.hagyatek import deadline, feed, handing, inventory, totals
from systems.hagyatek.completeness import findings
from systems.hagyatek.handing import HandoverTerms
from systems.hagyatek.models import Asset, Debt, Estate, Handover, Heir, Notary, Parameter, is_minor
from systems.shared import workdays

SIGN = "8345671233"
DECEASED = {
    "name": "Elhunyt Elemér",
    "birth_name": "Elhunyt Elemér",
    "mother_name": "Minta Mária",
    "birth_place": "Miskolc",
    "born": dt.date(1940, 5, 1),
    "died": dt.date(2026, 3, 1),
    "death_place": "Miskolc",
    "address": "Sajószentpéter, Fő út 1.",
    "identifier": SIGN,
    "marital": "widowed",
    "reporter": "Próba Piroska",
    "reporter_relation": "child",
    "received_on": dt.date(2026, 3, 5),
}
DATA = {
    "deceased_name": "Elhunyt Elemér",
    "deceased_birth_name": "Elhunyt Elemér",
    "deceased_born": "1940-05-01",
    "deceased_died": "2026-03-01",
    "deceased_address": "Sajószentpéter, Fő út 1.",
    "deceased_identifier": SIGN,
    "applicant_relation": "child",
    "heir_1_name": "Próba Piroska",
    "heir_1_relation": "child",
    "heir_1_address": "Sajószentpéter, Fő út 1.",
    "heir_1_more": True,
    "heir_2_name": "Próba Péter",
    "heir_2_relation": "grandchild",
    "heir_2_address": "Miskolc",
    "heir_2_more": False,
    "has_real_estate": True,
    "real_estate": "Sajószentpéter 123/4 hrsz., ház, 1/2",
    "real_estate_value": 12_000_000,
    "has_vehicles": False,
    "has_bank": True,
    "bank": "Minta Bank, folyószámla\nPróba Takarék, betét",
    "bank_value": 700_001,
    "has_movables": False,
    "has_debts": True,
    "debts": "Minta Bank, hitel",
    "debts_value": 200_000,
    "has_will": False,
    "remarks": None,
}


@pytest.fixture
def clerk(browse):
    return browse("hagyatek", "ugyintezo")


@pytest.fixture
def hagyatek(serve):
    with serve("hagyatek"):
        yield


@pytest.fixture
def notary(hagyatek):
    notary = Notary.objects.create(name="dr. Minta Mária", seat="Miskolc", address="Kossuth utca 1.")
    notary.areas.create(settlement="Sajószentpéter")
    return notary


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def case(serve, form="hagyatek", **data):
    key = str(uuid.uuid4())
    body = {
        "submission": key,
        "form": form,
        "title": "Nyilatkozat hagyatéki leltárhoz",
        "applicant": {"name": "Próba Piroska"},
        "data": DATA | data,
        "target": "hagyatek",
        "number": "IKT/2026/7-1",
        "submitted_at": "2026-03-05T23:30:00+00:00",
    }
    with serve("irat"), transaction.atomic():
        send("hagyatek", "case", body, key=key)
    return key


def messages_of(node, topic):
    with node.superuser("t16054") as session:
        return [b for (b,) in session.execute("SELECT body FROM chain.message WHERE topic = %s ORDER BY id", [topic])]


def estate(number="IKT/2026/8-1", **changes):
    """A complete inventory."""
    new_estate = handing.begin(**(DECEASED | {"number": number} | changes))
    heir = {"name": "Próba Piroska", "address": "x", "relation": "child", "share_part": 1, "share_whole": 1}
    Heir.objects.create(estate=new_estate, **heir)
    home = {"kind": "real_estate", "description": "ház", "place": "Sajószentpéter", "reference": "123/4"}
    Asset.objects.create(estate=new_estate, value=12_000_000, **home)
    Debt.objects.create(estate=new_estate, creditor="Minta Bank", basis="hitel", amount=200_000)
    return new_estate


def giving(notary, **changes):
    return HandoverTerms(**({"notary": notary, "day": dt.date(2026, 3, 20), "way": "electronic"} | changes))


def test_a_citizens_statement_fills_an_inventory(clerk, serve, node):
    key = case(serve)
    with serve("hagyatek"):
        assert relay.deliver() == 1
        estate = Estate.objects.get()
        assert (str(estate.submission), estate.number, estate.name) == (key, "IKT/2026/7-1", "Elhunyt Elemér")
        assert estate.received_on == dt.date(2026, 3, 6), "the office's calendar, not Greenwich's"
        assert list(estate.heirs.values_list("name", "relation")) == [
            ("Próba Piroska", "child"),
            ("Próba Péter", "grandchild"),
        ]
        assert list(estate.assets.values_list("kind", "place", "reference", "share_whole", "value")) == [
            ("real_estate", "Sajószentpéter", "123/4", 2, 12_000_000),
            ("bank", "Minta Bank", "", 1, None),
            ("bank", "Próba Takarék", "", 1, None),
        ]
        assert list(estate.debts.values_list("creditor", "basis", "amount")) == [("Minta Bank", "hitel", 200_000)]
        assert estate.declared == {"real_estate": 12_000_000, "bank": 700_001, "debts": 200_000}
    (status,) = messages_of(node, "status")
    assert (status["submission"], status["status"]) == (key, "in-progress")
    assert "Elhunyt Elemér" in text_of(clerk.get("/hagyatek/"))
    page = text_of(clerk.get(f"/hagyatek/leltar/{estate.pk}/"))
    assert "nyilatkozat szerint összesen 700 001 Ft, felvéve 0 Ft" in page
    assert "még 2 tétel értéke megállapítandó" in page and "Átadás a közjegyzőnek" not in page


def test_the_inventory_is_completed_handed_over_and_decided(clerk, serve, node, notary):
    key = case(serve)
    with serve("hagyatek"):
        relay.deliver()
        estate = Estate.objects.get()
        accounts = list(estate.assets.filter(kind="bank"))
    path = f"/hagyatek/leltar/{estate.pk}"
    answers = {name: str(value) for name, value in DECEASED.items()} | {"number": estate.number}
    assert clerk.post(f"{path}/adatok", answers).status_code == 302
    for account, value in zip(accounts, ("700 000", "1"), strict=True):
        fields = {"kind": "bank", "description": account.description, "place": account.place, "value": value}
        fields |= {"share_part": "1", "share_whole": "1", "token": str(uuid.uuid4())}
        assert clerk.post(f"{path}/vagyon/{account.pk}", fields).status_code == 302
    page = text_of(clerk.get(f"{path}/"))
    assert 'id="vagyon">12 700 001 Ft' in page and 'id="tiszta">12 500 001 Ft' in page
    assert "pótolni kell" not in page
    form = {"notary": str(notary.pk), "day": "2026-03-20", "way": "post", "note": ""}
    assert "dr. Minta Mária" in text_of(clerk.get(f"{path}/atadas"))
    assert clerk.post(f"{path}/atadas", form).status_code == 302
    repeat = clerk.post(f"{path}/atadas", form)
    assert (repeat.status_code, "már nem módosítható" in text_of(repeat)) == (422, True)
    (decision,) = messages_of(node, "decision")
    assert (decision["submission"], decision["outcome"], decision["decided_by"]) == (key, "accepted", "Minta Ilona")
    assert "dr. Minta Mária" in decision["text"]
    assert base64.b64decode(decision["document"]).startswith(b"%PDF-")
    with serve("hagyatek"):
        handover = Handover.objects.get()
    package = clerk.get(f"{path}/csomag.zip").content
    assert hashlib.sha256(package).hexdigest() == handover.sha256
    assert handover.sha256 in text_of(clerk.get(f"{path}/"))


def test_a_package_says_what_is_in_it(notary):
    new_estate = estate()
    handing.hand_over(new_estate.pk, giving(notary), "k")
    with zipfile.ZipFile(io.BytesIO(bytes(Handover.objects.get().package))) as bundle:
        manifest = json.loads(bundle.read("manifest.json"))
        assert sorted(bundle.namelist()) == ["leltar.pdf", "leltar.xml", "manifest.json"]
        for entry in manifest["files"]:
            content = bundle.read(entry["name"])
            assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])
        root = ET.fromstring(bundle.read("leltar.xml"))
        assert bundle.read("leltar.pdf").startswith(b"%PDF-")
    assert (manifest["format"], manifest["to"]["name"]) == ("asp-hagyatek/1", "dr. Minta Mária")
    spaces = {"l": inventory.NAMESPACE}
    assert root.findtext("l:orokhagyo/l:born", namespaces=spaces) == "1940-05-01"
    assert root.findtext("l:osszesites/l:net", namespaces=spaces) == "11800000"


def test_a_handed_over_estate_is_locked_also_in_the_database(notary):
    subject = estate()
    handing.hand_over(subject.pk, giving(notary), "k")
    with pytest.raises(NotPossible, match="már nem módosítható"):
        handing.save_part(Debt(estate=subject, creditor="x"))
    for sql, cause in (
        ("UPDATE estate SET name = 'más'", "is locked"),
        ("DELETE FROM estate", "is locked"),
        ("UPDATE asset SET value = 0", "is locked"),
        ("DELETE FROM heir", "is locked"),
        (
            f"INSERT INTO debt (estate_id, creditor, basis, token) VALUES ({subject.pk}, 'x', '', gen_random_uuid())",
            "locked",
        ),
        ("UPDATE handover SET sha256 = ''", "only ever added"),
        ("DELETE FROM handover", "only ever added"),
    ):
        with pytest.raises(DatabaseError, match=cause), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_parts_do_not_move_between_estates(hagyatek):
    one, other = estate(), estate("IKT/2026/9-1")
    with pytest.raises(DatabaseError, match="stay with their estate"), transaction.atomic():
        Heir.objects.filter(estate=one).update(estate=other)


def test_many_hand_over_and_change_at_once_and_one_wins(notary):
    new_estate, current, outcomes = estate(), tenancy.current(), []

    def work(n):
        with tenancy.serving(current):
            try:
                if n % 2:
                    handing.save_part(Debt(estate_id=new_estate.pk, creditor=f"{n}", amount=1))
                    outcomes.append("changed")
                else:
                    handing.hand_over(new_estate.pk, giving(notary), "k")
                    outcomes.append("handed")
            except NotPossible:
                outcomes.append("refused")
            finally:
                connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 6 and outcomes.count("handed") == 1
    with zipfile.ZipFile(io.BytesIO(bytes(Handover.objects.get().package))) as bundle:
        debts = ET.fromstring(bundle.read("leltar.xml")).findall(f"{{{inventory.NAMESPACE}}}teher")
    assert len(debts) == Debt.objects.count() == 1 + outcomes.count("changed"), "what the notary got is what is kept"


class Killed(BaseException):
    """Stands for a killed process: nothing catches it."""


@pytest.mark.parametrize(("module", "step"), [(handing, "begin"), (cases, "send_status")])
def test_a_handler_killed_in_the_middle_has_done_nothing_and_then_does_it_once(serve, node, monkeypatch, module, step):
    case(serve)
    with serve("hagyatek"), monkeypatch.context() as patch:
        real = getattr(module, step)

        def die(*arguments, **options):
            real(*arguments, **options)
            raise Killed

        patch.setattr(module, step, die)
        with pytest.raises(Killed):
            relay.deliver()
    with serve("hagyatek"):
        assert not Estate.objects.exists() and not Heir.objects.exists()
        assert messages_of(node, "status") == []
        assert (relay.deliver(), relay.deliver()) == (1, 0)
        assert (Estate.objects.count(), Heir.objects.count()) == (1, 2)
    assert len(messages_of(node, "status")) == 1


def test_another_form_is_never_handled(serve, node):
    case(serve, form="hipa")
    with serve("hagyatek"):
        assert relay.deliver() == 0
    with node.superuser("t16054") as session:
        assert "not one of estates" in session.execute("SELECT reason FROM chain.dead").fetchone()[0]


@pytest.mark.parametrize(
    ("break_it", "cause"),
    [
        (lambda e: Estate.objects.update(mother_name=""), "anyja neve"),
        (lambda e: Estate.objects.update(has_will=True), "Végrendeletről"),
        (lambda e: e.heirs.all().delete(), "Nincs felvéve örökös"),
        (lambda e: e.heirs.update(minor=True), "törvényes képviselője"),
        (lambda e: e.heirs.update(ward=True), "törvényes képviselője"),
        (lambda e: Heir.objects.create(estate=e, name="x", address="x", share_part=1, share_whole=3), r"\(4/3\)"),
        (lambda e: e.assets.all().delete(), "Nincs felvéve vagyontárgy"),
        (lambda e: Estate.objects.update(no_assets=True), "mégis van felvéve"),
        (lambda e: e.assets.update(reference=""), "helyrajzi szám"),
        (lambda e: e.assets.update(place=""), "település"),
        (lambda e: e.assets.update(value=None), "érték"),
        (lambda e: e.assets.update(kind="vehicle", reference=""), "rendszám"),
        (lambda e: e.assets.update(kind="bank", place=""), "pénzintézet"),
        (lambda e: e.debts.update(amount=None), "összeg"),
    ],
)
def test_what_is_missing_keeps_an_inventory_here(notary, break_it, cause):
    new_estate = estate()
    assert [finding for finding in findings(new_estate) if finding.blocking] == []
    break_it(new_estate)
    with pytest.raises(NotPossible, match=cause):
        handing.hand_over(new_estate.pk, giving(notary), "k")
    assert Estate.objects.get().state == "open" and not Handover.objects.exists()


def test_a_legatee_takes_no_part_of_the_shares(hagyatek):
    new_estate = estate()
    more = {"name": "x", "address": "x", "share_part": 1, "share_whole": 2}
    Heir.objects.create(estate=new_estate, basis="legatee", **more)
    assert totals.shares(new_estate.heirs.all()) == 1


def test_a_notary_who_is_not_competent_needs_a_reason(notary):
    new_estate = estate()
    other = Notary.objects.create(name="dr. Más Mihály", seat="Ózd", address="x")
    other.areas.create(settlement="Sajószentpéter", first_month=4, last_month=12)
    assert list(handing.competent(new_estate)) == [notary], "the other one is from April on"
    with pytest.raises(NotPossible, match="nem illetékes"):
        handing.hand_over(new_estate.pk, giving(other), "k")
    handing.hand_over(new_estate.pk, giving(other, note="helyettesítés"), "k")
    assert Handover.objects.get().notary == other


@pytest.mark.parametrize(
    ("first", "last", "competent"), [(1, 2, False), (1, 3, True), (3, 3, True), (3, 12, True), (4, 12, False)]
)
def test_a_notary_is_competent_for_deaths_of_the_months_of_their_area(hagyatek, first, last, competent):
    notary = Notary.objects.create(name="dr. Más Mihály", seat="Ózd", address="x")
    notary.areas.create(settlement="Sajószentpéter", first_month=first, last_month=last)
    assert DECEASED["died"].month == 3
    assert list(handing.competent(estate())) == [notary] * competent


@pytest.mark.parametrize("change", [{"active": False}, {"settlement": "Ózd"}])
def test_a_notary_who_left_or_serves_another_town_is_not_competent(notary, change):
    if "active" in change:
        Notary.objects.update(**change)
    else:
        notary.areas.update(**change)
    assert not handing.competent(estate()).exists()


def test_nothing_is_handed_over_before_it_was_known(notary):
    new_estate = estate()
    with pytest.raises(NotPossible, match="tudomásszerzés"):
        handing.hand_over(new_estate.pk, giving(notary, day=dt.date(2026, 3, 4)), "k")


def test_an_inventory_may_be_handed_over_on_the_day_on_which_it_became_known(notary):
    new_estate = estate()
    handing.hand_over(new_estate.pk, giving(notary, day=new_estate.received_on), "k")
    assert Handover.objects.get().day == new_estate.received_on


@pytest.mark.parametrize(("days", "overdue"), [(-1, True), (0, False), (1, False)])
def test_an_inventory_is_not_late_on_its_very_day(hagyatek, days, overdue):
    new_estate = estate()
    new_estate.due = timezone.localdate() + dt.timedelta(days=days)
    assert new_estate.overdue is overdue


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dates(dt.date(2026, 1, 1), dt.date(2027, 10, 31)))
def test_the_deadline_is_thirty_days_and_never_a_day_off(hagyatek, day):
    due = deadline.handover_day(day)
    plain = day + dt.timedelta(days=30)
    assert workdays.is_workday(due) and due >= plain
    assert not any(workdays.is_workday(plain + dt.timedelta(days=n)) for n in range((due - plain).days))


def test_the_deadline_is_assumed_and_follows_the_day_of_knowledge(clerk, serve):
    with serve("hagyatek"):
        assert Parameter.objects.get(pk="handover_days").status == "assumed"
        new_estate = estate()
        assert new_estate.due == dt.date(2026, 4, 7), "Easter Monday is no working day: the 4th was a Saturday"
    answers = {name: str(value) for name, value in DECEASED.items()} | {"number": new_estate.number}
    clerk.post(f"/hagyatek/leltar/{new_estate.pk}/adatok", answers | {"received_on": "2026-03-10"})
    with serve("hagyatek"):
        assert Estate.objects.get().due == dt.date(2026, 4, 9)
    assert "lejárt" in text_of(clerk.get("/hagyatek/")) and "Elhunyt" in text_of(clerk.get("/hagyatek/?lejart=1"))


forints = st.one_of(st.none(), st.integers(0, 10**15))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(Asset.Kind.values), forints), max_size=6), st.lists(forints, max_size=4))
def test_totals_are_exact_in_the_database_and_in_the_xml(hagyatek, assets, debts):
    with transaction.atomic():
        new_estate = handing.begin(**DECEASED, number="x")
        Asset.objects.bulk_create(Asset(estate=new_estate, kind=k, description="x", value=v) for k, v in assets)
        Debt.objects.bulk_create(Debt(estate=new_estate, creditor="x", amount=d or None) for d in debts)
        total = totals.compute(new_estate.assets.all(), new_estate.debts.all())
        root = ET.fromstring(inventory.xml(new_estate))
        transaction.set_rollback(True)
    expected = sum(v or 0 for _, v in assets), sum(d or 0 for d in debts)
    assert (total.assets, total.debts) == expected and total.net == expected[0] - expected[1]
    assert sum(amount for _, amount in total.kinds) == total.assets
    assert total.unknown == sum(v is None for _, v in assets) + sum(not d for d in debts)
    spaces = {"l": inventory.NAMESPACE}
    assert root.findtext("l:osszesites/l:net", namespaces=spaces) == str(total.net)
    assert sum(int(e.text) for e in root.findall("l:vagyontargy/l:value", spaces)) == total.assets


def test_texts_from_anywhere_make_a_readable_package(notary):
    new_estate = estate(remarks="<b>&\x00".replace("\x00", "\x0b"))
    Debt.objects.create(estate=new_estate, creditor="A&B <Kft>\x0b", amount=1)
    handing.hand_over(new_estate.pk, giving(notary), "k")
    with zipfile.ZipFile(io.BytesIO(bytes(Handover.objects.get().package))) as bundle:
        assert "A&B <Kft>" in [e.text for e in ET.fromstring(bundle.read("leltar.xml")).iter()]


def test_an_estate_is_closed_without_handing_over(clerk, serve, node):
    key = case(serve)
    with serve("hagyatek"):
        relay.deliver()
        pk = Estate.objects.get().pk
    assert clerk.post(f"/hagyatek/leltar/{pk}/lezaras", {"reason": ""}).status_code == 422
    for _ in range(2):
        clerk.post(f"/hagyatek/leltar/{pk}/lezaras", {"reason": "más jegyző illetékes"})
    assert [(d["submission"], d["outcome"]) for d in messages_of(node, "decision")] == [(key, "rejected")]
    assert "más jegyző illetékes" in text_of(clerk.get(f"/hagyatek/leltar/{pk}/"))


def test_what_is_missing_is_asked_for_and_the_citizen_is_told(clerk, serve, node):
    case(serve)
    with serve("hagyatek"):
        relay.deliver()
        pk = Estate.objects.get().pk
    assert clerk.post(f"/hagyatek/leltar/{pk}/hianypotlas", {"missing": ""}).status_code == 422
    assert clerk.post(f"/hagyatek/leltar/{pk}/hianypotlas", {"missing": "anyja neve"}).status_code == 302
    assert [s["text"] for s in messages_of(node, "status")][1:] == ["Hiánypótlás szükséges: anyja neve"]
    assert "anyja neve" in text_of(clerk.get(f"/hagyatek/leltar/{pk}/"))


def test_a_clerk_begins_one_by_hand_and_it_counts_once(clerk, serve):
    form = {name: str(value) for name, value in DECEASED.items()}
    form |= {"number": "IKT/2026/30-1", "token": str(uuid.uuid4())}
    for _ in range(2):
        assert clerk.post("/hagyatek/uj", form).status_code == 302
    with serve("hagyatek"):
        estate = Estate.objects.get()
    path = f"/hagyatek/leltar/{estate.pk}"
    heir = {"name": "Kis Kata", "address": "x", "relation": "child", "basis": "lawful", "token": str(uuid.uuid4())}
    for _ in range(2):
        assert clerk.post(f"{path}/orokos/uj", heir).status_code == 302
    with serve("hagyatek"):
        saved_heir = Heir.objects.get()
    assert clerk.post(f"{path}/orokos/{saved_heir.pk}/torles").status_code == 302
    assert clerk.get(f"{path}/allat/uj").status_code == 404
    with serve("hagyatek"):
        assert not Heir.objects.exists()


@pytest.mark.parametrize(
    ("path", "form", "cause"),
    [
        ("adatok", {"died": "1939-01-01"}, "nem lehet korábbi a születés"),
        ("adatok", {"received_on": "2026-02-01"}, "tudomásszerzés napja"),
        ("adatok", {"identifier": "8345671234"}, "ellenőrző számjegye"),
        ("orokos/uj", {"share_part": "3", "share_whole": "2"}, "legfeljebb egy egész"),
        ("orokos/uj", {"share_part": "1"}, "legfeljebb egy egész"),
        ("orokos/uj", {"born": "2020-01-01"}, "kiskorú"),
        ("orokos/uj", {"born": "1980-01-01", "minor": "on"}, "nagykorú"),
        ("vagyon/uj", {"value": "-1"}, "nem lehet negatív"),
        ("vagyon/uj", {"value": "1,5"}, "Egész forintot"),
        ("teher/uj", {"amount": "0"}, "nagyobb nullánál"),
    ],
)
def test_wrong_data_is_refused(clerk, serve, path, form, cause):
    with serve("hagyatek"):
        new_estate = estate()
    good = {
        "adatok": {name: str(value) for name, value in DECEASED.items()} | {"number": "x"},
        "orokos/uj": {"name": "x", "address": "x", "relation": "child", "basis": "lawful"},
        "vagyon/uj": {"kind": "other", "description": "x", "share_part": "1", "share_whole": "1"},
        "teher/uj": {"creditor": "x"},
    }[path] | {"token": str(uuid.uuid4())}
    page = clerk.post(f"/hagyatek/leltar/{new_estate.pk}/{path}", good | form)
    assert (page.status_code, cause in text_of(page)) == (422, True), text_of(page)
    assert clerk.post(f"/hagyatek/leltar/{new_estate.pk}/{path}", good).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        lambda e: Asset.objects.create(estate=e, kind="other", description="x", value=-1),
        lambda e: Asset.objects.create(estate=e, kind="other", description="x", share_part=2, share_whole=1),
        lambda e: Debt.objects.create(estate=e, creditor="x", amount=0),
        lambda e: Heir.objects.create(estate=e, name="x", address="x", share_part=1),
    ],
)
def test_the_database_refuses_what_cannot_be(hagyatek, wrong):
    new_estate = estate()
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong(new_estate)


@pytest.mark.parametrize(
    ("born", "minor"), [((2008, 3, 1), False), ((2008, 3, 2), True), ((2008, 2, 29), False), ((2026, 3, 1), True)]
)
def test_who_is_under_age(born, minor):
    assert is_minor(dt.date(*born), dt.date(2026, 3, 1)) is minor


def test_only_who_deals_with_estates_sees_names(browse, serve, notary):
    with serve("hagyatek"):
        new_estate = estate()
        locked_estate = estate("IKT/2026/9-1")
        handing.hand_over(locked_estate.pk, giving(notary), "k")
    watcher = browse("hagyatek", "felugyelo")
    assert watcher.get("/hagyatek/")["Location"] == "/hagyatek/hataridok/"
    page = text_of(watcher.get("/hagyatek/hataridok/"))
    assert new_estate.number in page and "lejárt" in page
    assert all(secret not in page for secret in ("Elhunyt", "Próba Piroska", "12 000 000"))
    for path in ("", "adatok", "hianypotlas", "leltar.pdf", "atadas", "lezaras", "orokos/uj", "vagyon/1", "csomag.zip"):
        assert watcher.get(f"/hagyatek/leltar/{locked_estate.pk}/{path}").status_code == 403, path
    assert watcher.post(f"/hagyatek/leltar/{new_estate.pk}/orokos/1/torles").status_code == 403
    assert watcher.get("/hagyatek/uj").status_code == 403
    assert watcher.get("/hagyatek/kozjegyzok/").status_code == 200
    assert browse("hagyatek").get("/hagyatek/").status_code == 403, "nobody, without a certificate"


def test_no_other_system_reads_anything(hagyatek, serve):
    for system in ("irat", "elugy", "portal", "adattar", "ado"):
        with serve(system), pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM hagyatek.estate")


def test_taking_an_inventory_away_is_recorded_and_names_nobody(clerk, serve, node):
    with serve("hagyatek"):
        new_estate = estate()
    assert clerk.get(f"/hagyatek/leltar/{new_estate.pk}/leltar.pdf").content.startswith(b"%PDF-")
    (line,) = messages_of(node, "activity")
    assert (line["action"], line["subject"]) == ("hagyatéki leltár letöltése", new_estate.number)


def test_notaries_and_their_areas(browse, serve):
    watcher = browse("hagyatek", "felugyelo")
    form = {"name": "dr. Új Ubul", "seat": "Miskolc", "address": "x", "active": "on"}
    assert watcher.post("/hagyatek/kozjegyzok/uj", form).status_code == 302
    with serve("hagyatek"):
        pk = Notary.objects.get().pk
    area = {"settlement": "Sajószentpéter", "first_month": "1", "last_month": "6"}
    assert watcher.post(f"/hagyatek/kozjegyzok/{pk}/terulet", area | {"last_month": "13"}).status_code == 422
    for _ in range(2):
        assert watcher.post(f"/hagyatek/kozjegyzok/{pk}/terulet", area).status_code == 302
    page = text_of(watcher.get("/hagyatek/kozjegyzok/"))
    assert "dr. Új Ubul" in page and "(1–6. hó)" in page
    with serve("hagyatek"):
        first_area = Notary.objects.get().areas.get()
    watcher.post(f"/hagyatek/teruletek/{first_area.pk}/torles")
    assert "(1–6. hó)" not in text_of(watcher.get("/hagyatek/kozjegyzok/"))


def test_the_feed_counts_and_says_nothing_else(notary):
    estate()
    handing.hand_over(estate("IKT/2026/9-1").pk, giving(notary), "k")
    rows = feed.rows(timezone.localdate())
    assert feeding.fault(rows) is None
    assert {row["kind"] for row in rows} == {"count"}
    assert {(row["measure"], row["dimension"]): row["value"] for row in rows} == {
        ("hagyatéki leltár", "felvétel alatt"): 1,
        ("hagyatéki leltár", "átadva a közjegyzőnek"): 1,
        ("lejárt határidejű leltár", ""): 1,
        ("átadott leltár az évben", ""): 1,
    }

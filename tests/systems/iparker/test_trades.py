"""The trade system on a real database: from a notification to the public register, with numbers that have no gaps."""

import datetime as dt
import io
import re
import threading
import uuid
import zipfile

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from systems import tenancy
from systems.chain import relay, send
from systems.core.errors import NotPossible
from systems.exchange import feeding
from systems.iparker import feed, registering
from systems.iparker.completeness import findings, hours, kind_of
from systems.iparker.models import Change, Entry, Inspection, Kind, Notification, ProductGroup, Trade
from systems.shared import identifiers

FIRM = f"1234567{identifiers.firm_check_digit('1234567')}-2-05"
SHOP = {
    "trader_name": "Próba Kft.",
    "trader_identifier": FIRM,
    "trader_address": "Miskolc, Titkos utca 9.",
    "activity": "élelmiszer-kiskereskedelem",
    "form": "shop",
    "shop_name": "Sarki bolt",
    "site": "Sajószentpéter, Fő út 1.",
    "floor_area": 80,
    "opening_hours": "H–P 8.00–16.30",
    "alcohol": False,
    "products": ["1.7", "1.9"],
    "since": dt.date(2026, 1, 5),
}
DATA = {
    "trader_name": "Próba Kft.",
    "trader_identifier": FIRM,
    "trader_address": "Miskolc, Titkos utca 9.",
    "activity": "élelmiszer-kiskereskedelem",
    "form": "shop",
    "since": "2026-12-01",
    "shop_name": "Sarki bolt",
    "shop_address": "Sajószentpéter, Fő út 1.",
    "floor_area": 80,
    "opening_hours": "H–P 8.00–16.30",
    "alcohol": True,
}


@pytest.fixture
def clerk(browse):
    return browse("iparker", "ugyintezo")


@pytest.fixture
def iparker(serve):
    with serve("iparker"):
        yield


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def case(serve, form="kereskedelem", **data):
    """Send what irat passes on for one notification; returns its UUID."""
    key = str(uuid.uuid4())
    body = {
        "submission": key,
        "form": form,
        "title": "Kereskedelmi tevékenység bejelentése",
        "applicant": {"name": "Próba Piroska"},
        "data": DATA | data,
        "target": "iparker",
        "number": "IKT/2026/7-1",
        "submitted_at": "2026-03-05T10:00:00+01:00",
    }
    with serve("irat"), transaction.atomic():
        send("iparker", "case", body, key=key)
    return key


def messages_of(node, topic):
    with node.superuser("t16054") as session:
        return [b for (b,) in session.execute("SELECT body FROM chain.message WHERE topic = %s ORDER BY id", [topic])]


def open_notification(n=1, **changes):
    return Notification.objects.create(**(SHOP | {"number": f"IKT/2026/{n}-1", "applicant": "Próba"} | changes))


def new_entry(n=1, **changes):
    return registering.register(open_notification(n, **({"site": f"Fő út {n}."} | changes)).pk, "k")


def test_an_entry_that_ended_does_not_keep_its_place(iparker):
    old = registering.register(open_notification(1).pk, "k")
    with pytest.raises(NotPossible, match=f"már van élő bejegyzése: {old.number}"):
        registering.register(open_notification(2).pk, "k")
    registering.register(open_notification(3, site="Fő út 9.").pk, "k")
    registering.end(old.pk, dt.date(2026, 2, 1), "megszűnt", "k")
    new = registering.register(open_notification(4).pk, "k")
    assert (new.site, new.until) == (old.site, None) and new.number != old.number


def as_form(**changes):
    """The fields of a shop as a browser sends them."""
    data = {name: value for name, value in SHOP.items() if name != "alcohol"}
    return data | {"since": "2026-01-05"} | changes


def test_a_citizens_notification_is_completed_registered_and_decided(clerk, serve, node):
    key = case(serve)
    with serve("iparker"):
        assert relay.deliver() == 1
        pk = Notification.objects.get().pk
    assert messages_of(node, "status")[0] | {"at": ""} == {
        "submission": key,
        "status": "in-progress",
        "number": "IKT/2026/7-1",
        "text": "A kereskedelmi ügyintéző megkapta a bejelentést.",
        "at": "",
    }
    assert "Próba Kft." in text_of(clerk.get("/iparker/"))
    page = text_of(clerk.get(f"/iparker/bejelentesek/{pk}/"))
    assert "mely termékköröket" in page and "nyilvantartasba" not in page, "no button before it is complete"
    clerk.post(f"/iparker/bejelentesek/{pk}/nyilvantartasba")
    with serve("iparker"):
        assert not Entry.objects.exists(), "nor does the address alone help"
    answers = as_form(since="2026-12-01", alcohol="on", products=["1.9"])
    assert clerk.post(f"/iparker/bejelentesek/{pk}/adatok", answers).status_code == 302
    assert "A bejelentés teljes." in text_of(clerk.get(f"/iparker/bejelentesek/{pk}/"))
    page = clerk.post(f"/iparker/bejelentesek/{pk}/nyilvantartasba", follow=True)
    with serve("iparker"):
        entry = Entry.objects.get()
    assert (entry.number, entry.alcohol) == (f"B/{timezone.localdate().year}/1", True)
    assert entry.number in text_of(page)
    (decision,) = messages_of(node, "decision")
    assert (decision["submission"], decision["outcome"], decision["decided_by"]) == (key, "accepted", "Minta Ilona")
    assert entry.number in decision["text"] and decision["document"].startswith("JVBERi"), "a PDF"
    assert clerk.get(f"/iparker/nyilvantartas/{entry.pk}/igazolas.pdf").content.startswith(b"%PDF-")


def test_missing_things_are_asked_for_and_the_citizen_is_told(clerk, serve, node):
    case(serve)
    with serve("iparker"):
        relay.deliver()
        pk = Notification.objects.get().pk
    assert clerk.post(f"/iparker/bejelentesek/{pk}/hianypotlas", {"missing": ""}).status_code == 422
    clerk.post(f"/iparker/bejelentesek/{pk}/hianypotlas", {"missing": "termékkörök"})
    assert [s["text"] for s in messages_of(node, "status")][1:] == ["Hiánypótlás szükséges: termékkörök"]
    assert "hiánypótlás alatt" in text_of(clerk.get("/iparker/"))


def test_a_notification_is_rejected_with_a_reason_and_once(clerk, serve, node):
    case(serve)
    with serve("iparker"):
        relay.deliver()
        pk = Notification.objects.get().pk
    path = f"/iparker/bejelentesek/{pk}"
    assert clerk.post(f"{path}/elutasitas", {"reason": ""}).status_code == 422
    clerk.post(f"{path}/elutasitas", {"reason": "hiányos"})
    clerk.post(f"{path}/elutasitas", {"reason": "megint"})
    clerk.post(f"{path}/nyilvantartasba")
    assert clerk.post(f"{path}/adatok", as_form()).status_code == 302
    assert [(d["outcome"], d["document"]) for d in messages_of(node, "decision")] == [("rejected", None)]
    assert "hiányos" in text_of(clerk.get(f"{path}/")) and "megint" not in text_of(clerk.get(f"{path}/"))


def test_another_form_is_never_handled(serve, node):
    case(serve, form="hipa")
    with serve("iparker"):
        assert relay.deliver() == 0
    with node.superuser("t16054") as session:
        assert "not one of trades" in session.execute("SELECT reason FROM chain.dead").fetchone()[0]


class Killed(BaseException):
    """Stands for a killed process: nothing catches it."""


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_handler_killed_in_the_middle_has_done_nothing_and_then_does_it_once(serve, node, monkeypatch, step):
    from systems.exchange import cases

    case(serve)
    with serve("iparker"), monkeypatch.context() as patch:
        real = cases.send_status

        def die(*arguments):
            if step == "after":
                real(*arguments)
            raise Killed

        patch.setattr(cases, "send_status", die)
        with pytest.raises(Killed):
            relay.deliver()
    connection.close()
    with serve("iparker"):
        assert not Notification.objects.exists()
        assert messages_of(node, "status") == []
        assert relay.deliver() == 1
        assert relay.deliver() == 0
        assert Notification.objects.count() == 1
    assert len(messages_of(node, "status")) == 1


def test_a_clerk_enters_a_paper_notification_that_counts_once(clerk, serve):
    form = as_form(number="IKT/2026/9-1", applicant="Papp Pál", received_on="2026-01-04", token=str(uuid.uuid4()))
    for _ in range(2):
        assert clerk.post("/iparker/bejelentesek/uj", form).status_code == 302
    with serve("iparker"):
        notification = Notification.objects.get()
        assert (notification.applicant, notification.products, notification.submission) == (
            "Papp Pál",
            ["1.7", "1.9"],
            None,
        )


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"trader_identifier": "12345678-1-05"}, "ellenőrző számjegye hibás"),
        ({"received_on": "2999-01-01"}, "jövőben"),
        ({"products": ["nincs"]}, "Válasszon"),
        ({"since": "0206-01-01"}, "nem lehet korábbi"),
        ({"token": "x"}, "Az űrlap hiányos"),
    ],
)
def test_wrong_paper_notifications_are_refused(clerk, serve, changes, cause):
    form = as_form(number="I", applicant="P", received_on="2026-01-04", token=str(uuid.uuid4()))
    page = clerk.post("/iparker/bejelentesek/uj", form | changes)
    assert (page.status_code, cause in text_of(page)) == (422, True)
    with serve("iparker"):
        assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"site": " "}, "üzlet címe"),
        ({"shop_name": ""}, "elnevezése"),
        ({"floor_area": None}, "alapterülete"),
        ({"opening_hours": ""}, "nyitvatartása"),
        ({"products": []}, "termékköröket"),
        ({"products": ["20"], "form": "market"}, "Csak üzletben"),
        ({"alcohol": True, "products": ["2"]}, "élelmiszer-termékköre"),
        ({"form": "mobile", "site": ""}, "útvonala"),
    ],
)
def test_what_is_missing_blocks(iparker, changes, cause):
    assert [f for f in findings(open_notification()) if f.blocking] == []
    blocking = [f.text for f in findings(open_notification(2, **changes)) if f.blocking]
    assert any(cause in text for text in blocking), blocking


def test_the_same_trade_at_the_same_place_is_registered_once(iparker):
    new_entry()
    with pytest.raises(NotPossible, match="már van élő bejegyzése"):
        registering.register(open_notification(2, site="fő út 1.").pk, "k")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("H–P 8.00–16.30, Szo 8-12", [(480, 990), (480, 720)]),
        ("hétfőtől péntekig 9:00 - 17:00", [(540, 1020)]),
        ("0-24", [(0, 1440)]),
        ("mindennap", []),
        ("16-8", []),
    ],
)
def test_opening_hours_are_understood(text, spans):
    assert hours(text) == spans


def test_a_licence_and_a_notification_have_numbers_of_their_own(iparker):
    year = timezone.localdate().year
    assert kind_of(["1.9"]) == Kind.NOTIFICATION and kind_of(["1.9", "20"]) == Kind.LICENCE
    numbers = [new_entry(n, products=codes).number for n, codes in enumerate([["2"], ["20"], ["2"], ["21"]], 1)]
    assert numbers == [f"B/{year}/1", f"E/{year}/1", f"B/{year}/2", f"E/{year}/2"]


def test_a_registration_that_fails_leaves_no_gap(iparker, monkeypatch):
    new_entry(1)
    with monkeypatch.context() as patch:
        patch.setattr(registering, "_decide", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            new_entry(2)
    assert new_entry(3).serial == 2


def test_many_clerks_register_at_once_without_gaps_or_doubles(iparker):
    pks = [open_notification(n, site=f"Fő út {n}.").pk for n in range(12)]
    current, refusals = tenancy.current(), []

    def work(mine):
        with tenancy.serving(current):
            for pk in mine:
                try:
                    registering.register(pk, "k")
                except NotPossible as fault:
                    refusals.append(str(fault))
            connection.close()

    # Each notification is tried by two clerks.
    threads = [threading.Thread(target=work, args=(pks[n % 2 :: 2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(Entry.objects.values_list("serial", flat=True)) == list(range(1, 13))
    assert len(refusals) == 12 and all("már el van bírálva" in text for text in refusals)


def test_a_change_keeps_what_was(clerk, serve):
    with serve("iparker"):
        entry = new_entry()
    path = f"/iparker/nyilvantartas/{entry.pk}"
    new = {name: value for name, value in as_form().items() if name not in ("trader_identifier", "since", "form")}
    new |= {"site": entry.site, "day": "2026-02-01", "reason": "IKT/2026/20-1"}
    assert "Semmi nem változott" in text_of(clerk.post(f"{path}/adatvaltozas", new))
    new |= {"opening_hours": "H–V 6.00–22.00", "products": ["1.9"]}
    assert clerk.post(f"{path}/adatvaltozas", new).status_code == 302
    with serve("iparker"):
        change = Change.objects.get(what="changed")
        assert change.before == {"opening_hours": "H–P 8.00–16.30", "products": ["1.7", "1.9"]}
        assert change.after == {"opening_hours": "H–V 6.00–22.00", "products": ["1.9"]}
        assert Entry.objects.get().opening_hours == "H–V 6.00–22.00"
    page = text_of(clerk.get(f"{path}/"))
    assert "H–V 6.00–22.00" in page and "Egyéb élelmiszer" in page
    earlier = clerk.post(f"{path}/adatvaltozas", new | {"opening_hours": "0-24", "day": "2026-01-31"})
    assert (earlier.status_code, "nem lehet korábbi" in text_of(earlier)) == (422, True)
    licensed = clerk.post(f"{path}/adatvaltozas", new | {"products": ["1.9", "22"]})
    assert (licensed.status_code, "új bejelentést" in text_of(licensed)) == (422, True)


def test_a_trade_may_change_twice_on_one_day_and_on_its_first(iparker):
    first, reason = SHOP["since"], "bejelentés"
    entry = new_entry()
    registering.suspend(entry.pk, first, reason, "k")
    registering.resume(entry.pk, first, reason, "k")
    registering.end(entry.pk, first, reason, "k")
    entry.refresh_from_db()
    assert (entry.state, entry.until) == ("megszűnt", first)
    with pytest.raises(NotPossible, match="már megszűnt"):
        registering.suspend(entry.pk, first + dt.timedelta(days=1), reason, "k")


@pytest.mark.parametrize(("days", "remark"), [(365, False), (366, True)])
def test_a_trade_that_begins_in_more_than_a_year_is_pointed_out(iparker, days, remark):
    notification = open_notification(since=timezone.localdate() + dt.timedelta(days=days))
    assert (
        "A tevékenység egy évnél később kezdődne." in [finding.text for finding in findings(notification)]
    ) is remark


def test_a_trade_pauses_goes_on_and_ends(clerk, serve, node):
    with serve("iparker"):
        entry = new_entry()
    path = f"/iparker/nyilvantartas/{entry.pk}"

    def step(what, day):
        return clerk.post(f"{path}/{what}", {"day": day, "reason": "bejelentés"}).status_code

    assert step("folytatas", "2026-02-01") == 422, "it does not pause"
    assert step("szunetel", "2026-02-01") == 302
    assert step("szunetel", "2026-02-02") == 422
    assert 'id="allapot">szünetel' in text_of(clerk.get(f"{path}/"))
    assert step("folytatas", "2026-01-31") == 422, "before it paused"
    assert step("folytatas", "2026-03-01") == 302
    assert step("megszunes", "2999-01-01") == 422
    assert step("megszunes", "2026-04-30") == 302
    assert step("szunetel", "2026-05-01") == 422
    assert step("nincs-ilyen", "2026-05-01") == 404
    with serve("iparker"):
        assert list(Change.objects.order_by("id").values_list("what", flat=True)) == [
            "registered",
            "suspended",
            "resumed",
            "ended",
        ]
        assert Entry.objects.get().state == "megszűnt"


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("UPDATE change SET reason = 'más'", "only ever added"),
        ("DELETE FROM change", "only ever added"),
        ("DELETE FROM entry", "only ever added"),
        ("UPDATE entry SET serial = 9, number = 'B/2026/9'", "keeps its number"),
        ("UPDATE notification SET trader_name = 'más'", "was decided"),
        ("UPDATE counter SET last = 0", "goes on by one"),
        ("UPDATE entry SET until = '2000-01-01'", "ends_after_begin"),
    ],
)
def test_the_database_keeps_the_register(iparker, sql, cause):
    new_entry()
    with pytest.raises(DatabaseError, match=cause), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_what_ended_stays_so(iparker):
    entry = new_entry()
    registering.end(entry.pk, dt.date(2026, 2, 1), "x", "k")
    with pytest.raises(DatabaseError, match="has ended"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE entry SET until = NULL")


def test_the_public_register_says_what_the_law_says_and_no_more(iparker, serve, browse):
    new_entry(1)
    registering.suspend(new_entry(2, shop_name="Pékség").pk, dt.date(2026, 2, 1), "x", "k")
    registering.end(new_entry(3).pk, dt.date(2026, 3, 1), "x", "k")
    with serve("portal"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM iparker.public_register ORDER BY number")
        columns = [column.name for column in cursor.description]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    assert columns == ["number", "name", "address", "activity", "since", "suspended_since", "until"]
    assert [row["name"] for row in rows] == [
        "Próba Kft. – Sarki bolt",
        "Próba Kft. – Pékség",
        "Próba Kft. – Sarki bolt",
    ]
    assert [row["until"] for row in rows] == [None, None, dt.date(2026, 3, 1)]
    assert all(secret not in str(rows) for secret in (FIRM, "Titkos utca", "Próba Piroska"))
    page = text_of(browse("portal").get("/portal/uzletek?q=PEKSEG"))
    assert "Próba Kft. – Pékség" in page and "szünetel" in page and "Sarki bolt" not in page
    assert FIRM not in text_of(browse("portal").get("/portal/uzletek"))


def test_nobody_but_the_portal_reads_the_register_and_it_reads_nothing_else(iparker, serve):
    for system, sql in (
        ("elugy", "SELECT * FROM iparker.public_register"),
        ("portal", "SELECT * FROM iparker.entry"),
        ("irat", "SELECT * FROM iparker.notification"),
    ):
        with serve(system), pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
            cursor.execute(sql)


def test_an_inspection_waits_for_its_deadline_and_is_settled_once(clerk, serve):
    with serve("iparker"):
        entry = new_entry()
    form = {"day": "2026-03-01", "finding": "Nincs árkiírás.", "deadline": "2026-03-15", "token": str(uuid.uuid4())}
    path = f"/iparker/nyilvantartas/{entry.pk}/ellenorzes"
    assert clerk.post(path, form | {"deadline": "2026-02-28"}).status_code == 422
    for _ in range(2):
        assert clerk.post(path, form).status_code == 302
    page = text_of(clerk.get("/iparker/ellenorzesek/"))
    assert page.count("Nincs árkiírás.") == 1 and "lejárt" in page
    with serve("iparker"):
        pk = Inspection.objects.get().pk
    settle = f"/iparker/ellenorzesek/{pk}/lezaras"
    assert clerk.post(settle, {"settled_on": "2026-02-01", "outcome": "kész"}).status_code == 422
    assert clerk.post(settle, {"settled_on": "2026-03-10", "outcome": "kész"}).status_code == 302
    repeat = clerk.post(settle, {"settled_on": "2026-03-11", "outcome": "más"})
    assert (repeat.status_code, "már le van zárva" in text_of(repeat)) == (422, True)
    assert "lejárt" not in text_of(clerk.get("/iparker/ellenorzesek/"))


@pytest.mark.parametrize(("days", "overdue"), [(-1, True), (0, False), (1, False)])
def test_a_fault_may_be_corrected_until_the_end_of_its_last_day(clerk, serve, days, overdue):
    today = timezone.localdate()
    with serve("iparker"):
        inspection = Inspection.objects.create(
            entry=new_entry(), day=today - dt.timedelta(days=9), finding="x", deadline=today + dt.timedelta(days=days)
        )
    assert inspection.overdue is overdue
    assert ("lejárt" in text_of(clerk.get("/iparker/ellenorzesek/"))) is overdue


def test_a_fault_may_be_corrected_on_the_spot(clerk, serve):
    with serve("iparker"):
        inspection = Inspection.objects.create(entry=new_entry(), day=dt.date(2026, 3, 1), finding="x")
    place = f"/iparker/ellenorzesek/{inspection.pk}/lezaras"
    assert clerk.post(place, {"settled_on": "2026-02-28", "outcome": "kész"}).status_code == 422
    assert clerk.post(place, {"settled_on": "2026-03-01", "outcome": "kész"}).status_code == 302


def test_the_register_is_searched_and_taken_away(clerk, serve):
    with serve("iparker"):
        new_entry(1)
        new_entry(2, trader_name="Árvíz Bt.", products=["20"])
    page = text_of(clerk.get("/iparker/nyilvantartas/?q=arviz"))
    assert "Árvíz Bt." in page and "Próba Kft." not in page
    assert "Árvíz Bt." not in text_of(clerk.get("/iparker/nyilvantartas/?fajta=B&allapot=mukodik"))
    assert "Nincs ilyen" in text_of(clerk.get("/iparker/nyilvantartas/?allapot=megszunt"))
    book = clerk.get("/iparker/nyilvantartas/letoltes.xlsx?q=arviz")
    strings = zipfile.ZipFile(io.BytesIO(book.content)).read("xl/sharedStrings.xml").decode()
    assert "Árvíz Bt." in strings and "Próba Kft." not in strings and "Nemesfém" in strings
    page = text_of(clerk.get("/iparker/statisztika/"))
    assert "Élő bejegyzés: 2" in page and "Nemesfém" in page


def test_who_only_reads_changes_nothing(browse, serve):
    with serve("iparker"):
        entry, notification = new_entry(), open_notification(2)
    reader = browse("iparker", "olvaso")
    assert reader.get(f"/iparker/nyilvantartas/{entry.pk}/").status_code == 200
    page = text_of(reader.get(f"/iparker/bejelentesek/{notification.pk}/"))
    assert "<form" not in page
    for path in (f"nyilvantartas/{entry.pk}/adatvaltozas", f"nyilvantartas/{entry.pk}/megszunes", "bejelentesek/uj"):
        assert reader.get(f"/iparker/{path}").status_code == 403
    for what in ("nyilvantartasba", "elutasitas", "hianypotlas", "adatok"):
        assert reader.post(f"/iparker/bejelentesek/{notification.pk}/{what}", {"reason": "x"}).status_code == 403
    assert browse("iparker").get("/iparker/").status_code == 403, "nobody, without a certificate"


def test_every_change_is_in_the_business_log(clerk, serve, node):
    with serve("iparker"):
        notification = open_notification()
    clerk.post(f"/iparker/bejelentesek/{notification.pk}/nyilvantartasba")
    with serve("iparker"):
        entry = Entry.objects.get()
    clerk.post(f"/iparker/nyilvantartas/{entry.pk}/szunetel", {"day": "2026-02-01", "reason": "x"})
    assert [(a["action"], a["subject"]) for a in messages_of(node, "activity")] == [
        ("nyilvántartásba vétel", entry.number),
        ("tevékenység szüneteltetése", entry.number),
    ]


def test_the_feed_counts(iparker):
    new_entry(1)
    new_entry(2, products=["20"])
    registering.end(new_entry(3).pk, timezone.localdate(), "x", "k")
    open_notification(4)
    rows = feed.rows(timezone.localdate())
    assert feeding.fault(rows) is None
    figures = {(row["measure"], row["dimension"]): row["value"] for row in rows}
    assert figures == {
        ("bejelentés", "elbírálásra vár"): 1,
        ("bejelentés", "nyilvántartásba véve"): 3,
        ("nyilvántartott tevékenység", "bejelentés-köteles tevékenység"): 1,
        ("nyilvántartott tevékenység", "működésiengedély-köteles tevékenység"): 1,
        ("megszűnt tevékenység az évben", ""): 1,
        ("ellenőrzés az évben", ""): 0,
        ("lejárt ellenőrzési határidő", ""): 0,
    }


def test_product_groups_are_assumed_until_somebody_compared_them(iparker):
    assert set(ProductGroup.objects.values_list("status", flat=True)) == {"assumed"}
    assert all(ProductGroup.objects.values_list("source", flat=True))


def test_each_form_of_trade_of_the_electronic_form_is_known():
    from systems.elugy.catalogue import trade_notification

    assert [code for code, _ in trade_notification.FORMS] == Trade.Form.values

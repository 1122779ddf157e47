"""Bank statements on a real database: read whole or not at all, every transfer booked once, nothing lost in between."""

import datetime as dt
import re
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from systems.ado import statements
from systems.ado.models import Payment, Statement, StatementLine, Taxpayer
from systems.ado.statements import StatementFault
from systems.core import money
from systems.shared import identifiers
from systems.shared.bodies import STATEMENT

FIRM = identifiers.tax_number(f"1234567{identifiers.firm_check_digit('1234567')}-2-05")
PERSON = "8472765075"
HEAD = "értéknap;összeg;hivatkozás;befizető;közlemény"
GOOD = [
    f"2026-03-16;120 000;B-1;Próba Kft.;iparűzési adó {FIRM}",
    f"2026.03.16.;15000,00;B-2;Próba Piroska;építményadó {PERSON}",
    "2026-03-17;7 500;B-3;Ismeretlen Imre;adó",
    "2026-03-17;-2 000;B-4;Bank;számlavezetési díj",
]


@pytest.fixture
def clerk(browse):
    return browse("ado", "ugyintezo")


@pytest.fixture
def taxpayers(serve):
    with serve("ado"):
        firm = Taxpayer.objects.create(identifier=FIRM, name="Próba Kft.", address="Sajószentpéter")
        person = Taxpayer.objects.create(identifier=PERSON, name="Próba Piroska", address="Sajószentpéter")
    return firm, person


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode()).replace("\u00a0", " ")


def file(*lines, encoding="utf-8"):
    return "\r\n".join([HEAD, *lines]).encode(encoding)


def upload(clerk, content, name="kivonat.csv"):
    return clerk.post("/ado/kivonatok/uj", {"file": SimpleUploadedFile(name, content, "text/csv")})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250"])
def test_a_statement_is_looked_at_booked_and_cleared_up(clerk, serve, taxpayers, encoding):
    firm, person = taxpayers
    reply = upload(clerk, file(*GOOD, encoding=encoding))
    assert reply.status_code == 302
    address = reply.headers["Location"]
    page = text_of(clerk.get(address))
    for words in ("Adózóhoz rendelve", "2 tétel, 135 000 Ft", "Ismeretlen Imre", "terhelés", "számlavezetési díj"):
        assert words in page
    with serve("ado"):
        assert not Payment.objects.exists(), "nothing is booked by looking"
    assert clerk.post(f"{address}konyveles").status_code == 302
    with serve("ado"):
        assert firm.balance().paid == 120_000 and person.balance().paid == 15_000
        unclear = StatementLine.unclear().get()
    assert "Összesen 7 500 Ft" in text_of(clerk.get("/ado/tisztazatlan/"))
    refusal = clerk.post(f"/ado/tisztazatlan/{unclear.pk}/hozzarendeles", {"identifier": "8000000000"})
    assert refusal.status_code == 422 and "nincs adózó" in text_of(refusal)
    assert clerk.post(f"/ado/tisztazatlan/{unclear.pk}/hozzarendeles", {"identifier": PERSON}).status_code == 302
    with serve("ado"):
        assert person.balance().paid == 22_500 and not StatementLine.unclear().exists()
        assert Payment.objects.count() == 3
    clerk.post(f"{address}konyveles")
    assert "már lekönyvelték" in text_of(clerk.get(address))
    with serve("ado"):
        assert Payment.objects.count() == 3


def test_money_that_went_back_is_nobodys(clerk, serve, taxpayers):
    address = upload(clerk, file(*GOOD)).headers["Location"]
    clerk.post(f"{address}konyveles")
    with serve("ado"):
        unclear = StatementLine.unclear().get()
    data = {"vissza-day": "2026-04-01", "vissza-note": "a feladó kérésére"}
    assert clerk.post(f"/ado/tisztazatlan/{unclear.pk}/visszautalas", data).status_code == 302
    clerk.post(f"/ado/tisztazatlan/{unclear.pk}/hozzarendeles", {"identifier": PERSON})
    assert "már nem tisztázatlan" in text_of(clerk.get("/ado/tisztazatlan/"))
    with serve("ado"):
        assert Payment.objects.count() == 2 and not StatementLine.unclear().exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Az első sor legyen"),
        (b"\xff\xfe\x00", "Az első sor legyen"),
        (b"datum;osszeg\n1;2", "Az első sor legyen"),
        (file(), "nincs egyetlen tétel sem"),
        (file("2026-13-01;1;B;x;y"), "2. sor: az értéknap"),
        (file("2099-01-01;1;B;x;y"), "jövőben"),
        (file("2026-03-01;12,50;B;x;y"), "2. sor: az összeg"),
        (file("2026-03-01;0;B;x;y"), "az összeg nulla"),
        (file("2026-03-01;1e3;B;x;y"), "2. sor: az összeg"),
        (file("2026-03-01;1;;x;y"), "a hivatkozás hiányzik"),
        (file("2026-03-01;1;B;x"), "4 mező van benne, 5 kell"),
        (file("2026-03-01;1;B;x;y", "2026-03-02;2;B;x;y"), "3. sor: a(z) B hivatkozás a(z) 2. sorban már szerepel"),
        (b"x" * (STATEMENT + 1), "legfeljebb 2048 KiB"),
    ],
)
def test_a_wrong_file_is_refused_whole(clerk, serve, taxpayers, content, words):
    refusal = upload(clerk, content or b"\n")
    assert refusal.status_code == 422 and words in text_of(refusal), text_of(refusal)
    with serve("ado"):
        assert not Statement.objects.exists() and not StatementLine.objects.exists()


def test_every_wrong_line_is_told_and_good_ones_beside_them_are_not_kept(clerk, serve, taxpayers):
    refusal = text_of(upload(clerk, file(GOOD[0], "x;1;B-8;a;b", "2026-03-01;y;B-9;a;b")))
    assert "3. sor: az értéknap" in refusal and "4. sor: az összeg" in refusal
    with serve("ado"):
        assert not StatementLine.objects.exists()


def test_the_same_file_and_the_same_transfer_count_once(clerk, serve, taxpayers):
    first = upload(clerk, file(*GOOD)).headers["Location"]
    assert "már feltöltötték" in text_of(upload(clerk, file(*GOOD), "masik.csv"))
    later = upload(clerk, file(*GOOD, f"2026-03-18;1 000;B-5;Próba Kft.;{FIRM}")).headers["Location"]
    assert "már szerepel" in text_of(clerk.get(later))
    for address in (later, first):
        clerk.post(f"{address}konyveles")
    with serve("ado"):
        assert sorted(Payment.objects.values_list("reference", flat=True)) == ["B-1", "B-2", "B-5"]


@pytest.mark.parametrize(("days", "accepted"), [(0, True), (1, False)])
def test_a_transfer_of_today_is_not_in_the_future(days, accepted):
    day = timezone.localdate() + dt.timedelta(days=days)
    content = file(f"{day};7 500;B-3;Ismeretlen Imre;adó")
    if accepted:
        assert [row.day for row in statements.read(content)] == [day]
    else:
        with pytest.raises(StatementFault, match="a jövőben van"):
            statements.read(content)


def test_nothing_is_cleared_up_before_its_statement_is_booked(serve, taxpayers):
    firm, _ = taxpayers
    with serve("ado"):
        statement = statements.take(file(*GOOD), "kivonat.csv", "Próba")
        line = statement.lines.get(verdict=StatementLine.Verdict.UNKNOWN)
        for work in (
            lambda: statements.assign(line.pk, firm, "Próba"),
            lambda: statements.send_back(line.pk, timezone.localdate(), "téves"),
        ):
            with pytest.raises(StatementFault, match="még nincs lekönyvelve"):
                work()
        assert not Payment.objects.exists()
        statements.book(statement.pk, "Próba")
        assert statements.assign(line.pk, firm, "Próba").payment.amount == 7500


def test_a_payment_that_was_recorded_by_hand_is_not_booked_again(clerk, serve, taxpayers):
    firm, _ = taxpayers
    address = upload(clerk, file(*GOOD)).headers["Location"]
    clerk.post(f"/ado/adozok/{firm.pk}/befizetes", {"day": "2026-03-16", "amount": "120000", "reference": "B-1"})
    clerk.post(f"{address}konyveles")
    assert "B-1 hivatkozású befizetést már rögzítették" in text_of(clerk.get(address))
    with serve("ado"):
        assert Payment.objects.count() == 1, "all or nothing"
    assert clerk.post(f"{address}elvetes").headers["Location"] == "/ado/kivonatok/"
    address = upload(clerk, file(*GOOD)).headers["Location"]
    clerk.post(f"{address}konyveles")
    with serve("ado"):
        assert Payment.objects.count() == 2


def test_a_remittance_that_names_two_taxpayers_is_unclear(clerk, serve, taxpayers):
    upload(clerk, file(f"2026-03-16;1 000;B-1;Próba Kft. {FIRM};{PERSON} helyett"))
    with serve("ado"):
        assert StatementLine.objects.get().verdict == StatementLine.Verdict.UNKNOWN


@pytest.mark.parametrize("text", [FIRM.replace("-", ""), f"ADÓ/{FIRM}", f"({PERSON})", f"{PERSON}, 2026"])
def test_identifiers_are_found_however_they_are_written(clerk, serve, taxpayers, text):
    upload(clerk, file(f"2026-03-16;1 000;B-1;x;{text}"))
    with serve("ado"):
        assert StatementLine.objects.get().verdict == StatementLine.Verdict.RECOGNISED


def test_two_clerks_book_one_statement_at_the_same_moment(clerk, serve, taxpayers):
    upload(clerk, file(*GOOD))
    with serve("ado"):
        pk = Statement.objects.get().pk
    begin, outcomes = threading.Barrier(2), []

    def book():
        with serve("ado"):
            try:
                begin.wait(10)
                outcomes.append(statements.book(pk, "Próba"))
            except StatementFault as fault:
                outcomes.append(str(fault))
            finally:
                connections.close_all()

    threads = [threading.Thread(target=book) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, outcomes)) == ["(2, 135000)", "Ezt a kivonatot már lekönyvelték."]
    with serve("ado"):
        assert Payment.objects.count() == 2


def test_a_reader_books_nothing(browse, clerk, taxpayers):
    address = upload(clerk, file(*GOOD)).headers["Location"]
    reader = browse("ado", "olvaso", username="olvaso.otto", name="Olvasó Ottó")
    assert reader.get(address).status_code == 200
    assert reader.post(f"{address}konyveles").status_code == 403
    assert upload(reader, file("2026-03-16;1;B-9;x;y")).status_code == 403


@given(amounts=st.lists(st.integers(1, 10**9), min_size=1, max_size=30), unknown=st.sets(st.integers(0, 29)))
def test_every_forint_is_either_booked_or_unclear(amounts, unknown):
    """Without a database: the recognised and the unclear lines add up to the file, to the forint."""
    lines = [
        f"2026-03-16;{money.to_text(amount) if n % 2 else amount};B-{n};x;{'?' if n in unknown else PERSON}"
        for n, amount in enumerate(amounts)
    ]
    rows = statements.read(file(*lines))
    assert [row.amount for row in rows] == amounts
    with_identifier = [row for row in rows if list(statements._identifiers(row.remittance))]
    assert sum(row.amount for row in with_identifier) + sum(amounts[n] for n in unknown if n < len(amounts)) == sum(
        amounts
    )

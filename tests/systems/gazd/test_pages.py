"""The finance system's pages: an invoice's whole course with several clerks, roles, sheets, refusals."""

import io
import re
import zipfile

import pytest
from django.db import transaction
from django.db.models import Sum

from systems import synthetic
from systems.gazd import feed
from systems.gazd.forms import PartnerForm
from systems.gazd.models import Appropriation, Commitment, Entry, FiscalYear, Invoice, Partner, Voucher
from systems.shared import identifiers

YEAR = 2026
FIRM = f"1234567{identifiers.firm_check_digit('1234567')}-2-05"


@pytest.fixture
def clerk(browse):
    return browse("gazd", "konyvelo")


@pytest.fixture
def approver(browse):
    return browse("gazd", "utalvanyozo", username="fonok.flora", name="Főnök Flóra")


@pytest.fixture
def countersigner(browse):
    return browse("gazd", "ellenjegyzo", username="ellen.elek", name="Ellen Elek")


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode()).replace("\xa0", " ")


def sheet_rows(response):
    """The non-empty cells of a sheet, by row."""
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        texts = re.findall(r"<t[^>]*>(.*?)</t>", book.read("xl/sharedStrings.xml").decode())
        result = book.read("xl/worksheets/sheet1.xml").decode()
    cell = re.compile(r'<c r="[A-Z]+[0-9]+"[^>]*?(t="s")?><v>(.*?)</v>')
    return [
        [texts[int(value)] if text else int(value) for text, value in cell.findall(row) if text or value]
        for row in re.findall(r"<row .*?</row>", result)
    ]


def token(client, place):
    """The token of the form at that address."""
    return re.search(r'name="token" value="([^"]+)"', client.get(place).content.decode())[1]


def rows(*of):
    result = {"form-TOTAL_FORMS": "6", "form-INITIAL_FORMS": "0"}
    return result | {f"form-{n}-{name}": value for n, row in enumerate(of) for name, value in row.items()}


def test_three_clerks_bring_an_invoice_from_the_budget_to_the_cash_report(clerk, approver, countersigner, serve):
    assert clerk.post("/gazd/evek/uj", {"year": YEAR}).status_code == 302
    clerk.post(f"/gazd/evek/{YEAR}/eloiranyzat", {"item": "K3", "original": "1 000 000"})
    partner = {"tax_number": FIRM, "name": "Próba Kft.", "address": "Sajószentpéter", "bank_account": ""}
    assert clerk.post("/gazd/partnerek/uj", partner).status_code == 302
    with serve("gazd"):
        plan, partner = Appropriation.objects.get(), Partner.objects.get()
    place = f"/gazd/eloiranyzatok/{plan.pk}/kotelezettseg"
    order = {"partner": partner.pk, "subject": "papír", "day": "2026-02-01", "amount": "127 000"}
    order["token"] = token(clerk, place)
    assert clerk.post(place, order).status_code == 302
    repeat = clerk.post(place, order)
    assert (repeat.status_code, "már rögzítették" in text_of(repeat)) == (422, True)
    assert "873 000 Ft" in text_of(clerk.get(f"/gazd/eloiranyzatok/{plan.pk}/"))
    with serve("gazd"):
        commitment = Commitment.objects.get()
    assert "Számla rögzítése" not in text_of(clerk.get(f"/gazd/kotelezettsegek/{commitment.pk}/"))
    assert clerk.post(f"/gazd/kotelezettsegek/{commitment.pk}/ellenjegyzes").status_code == 403
    assert ">Ellenjegyzés<" in text_of(countersigner.get(f"/gazd/kotelezettsegek/{commitment.pk}/"))
    countersigner.post(f"/gazd/kotelezettsegek/{commitment.pk}/ellenjegyzes")
    page = text_of(clerk.get(f"/gazd/kotelezettsegek/{commitment.pk}/"))
    assert 'id="ellenjegyezte">ellen.elek<' in page and "Számla rögzítése" in page
    repeat = text_of(countersigner.post(f"/gazd/kotelezettsegek/{commitment.pk}/ellenjegyzes", follow=True))
    assert "már ellenjegyezték" in repeat
    place = f"/gazd/kotelezettsegek/{commitment.pk}/szamla"
    data = {"number": "SZ-1", "issued": "2026-02-02", "performed": "2026-02-02", "due": "2026-03-04"}
    over = clerk.post(place, data | rows({"text": "papír", "net": "100 001", "rate": "27"}))
    assert (over.status_code, "127 000 Ft maradt" in text_of(over)) == (422, True)
    assert clerk.post(place, data | rows()).status_code == 422, "no lines"
    half = clerk.post(place, data | rows({"text": "papír"}))
    assert (half.status_code, "Ezt a mezőt ki kell tölteni" in text_of(half)) == (422, True)
    assert clerk.post(place, data | rows({"text": "papír", "net": "100 000", "rate": "27"})).status_code == 302
    with serve("gazd"):
        invoice = Invoice.objects.get()
    assert (invoice.gross, invoice.recorded_by) == (127_000, "minta.ilona")
    assert clerk.post(f"/gazd/szamlak/{invoice.pk}/jovahagyas", {"day": "2026-02-03"}).status_code == 403
    early = text_of(approver.post(f"/gazd/szamlak/{invoice.pk}/jovahagyas", {"day": "2026-02-03"}, follow=True))
    assert "A számlát előbb érvényesíteni kell." in early and 'id="jovahagyas"' not in early
    assert clerk.post(f"/gazd/szamlak/{invoice.pk}/ervenyesites").status_code == 403
    assert ">Érvényesítés<" in text_of(countersigner.get(f"/gazd/szamlak/{invoice.pk}/"))
    validation = text_of(countersigner.post(f"/gazd/szamlak/{invoice.pk}/ervenyesites", follow=True))
    assert 'id="ervenyesitette">ellen.elek<' in validation and "A számlát érvényesítette" in validation
    assert 'id="jovahagyas"' in text_of(approver.get(f"/gazd/szamlak/{invoice.pk}/"))
    assert approver.post(f"/gazd/szamlak/{invoice.pk}/jovahagyas", {"day": "2026-02-03"}).status_code == 302
    assert "Fizetésre vár: 1 számla, 127 000 Ft" in text_of(clerk.get("/gazd/szamlak/fizetes"))
    response = clerk.post("/gazd/szamlak/fizetes", {"day": "2026-02-04", "account": "33"})
    assert (response.status_code, "Jelölje meg" in text_of(response)) == (422, True)
    paid = {"day": "2026-02-04", "account": "33", "szamla": [invoice.pk]}
    assert clerk.post("/gazd/szamlak/fizetes", paid).status_code == 302
    assert clerk.post("/gazd/szamlak/fizetes", paid).status_code == 422, "paid once"
    page = text_of(clerk.get(f"/gazd/kimutatasok/?ev={YEAR}"))
    assert 'id="tartozik">254 000' in page and 'id="kovetel">254 000' in page
    assert re.search(r"K3 Dologi kiadások</td>.*?Teljesítés\">127 000<", page)
    sheet = clerk.get(f"/gazd/kimutatasok/fokonyvi-kivonat.xlsx?ev={YEAR}")
    with zipfile.ZipFile(io.BytesIO(sheet.content)) as book:
        assert b"254000" in book.read("xl/worksheets/sheet1.xml")
    cash = sheet_rows(clerk.get(f"/gazd/kimutatasok/penzforgalmi-jelentes.xlsx?ev={YEAR}"))
    assert cash[0][-1] == "Teljesítés" and cash[-1] == ["Pénzeszközök változása", -127_000]
    assert cash[1:-1] == [["K3", "Dologi kiadások", "kiadás", 1_000_000, 1_000_000, 127_000]]
    with serve("gazd"):
        assert set(Voucher.objects.values_list("recorded_by", flat=True)) == {"minta.ilona", "fonok.flora"}
        assert Commitment.objects.get().recorded_by == "minta.ilona"


def test_who_recorded_does_not_approve(browse, serve):
    both = browse("gazd", "konyvelo", "utalvanyozo")
    with serve("gazd"):
        assert synthetic.fill("16054", seed=3)
        Invoice.objects.filter(state="recorded").update(recorded_by="minta.ilona")
        invoice = Invoice.objects.filter(state="recorded").first()
    assert "másnak kell elbírálnia" in text_of(both.get(f"/gazd/szamlak/{invoice.pk}/"))
    both.post(f"/gazd/szamlak/{invoice.pk}/jovahagyas", {"day": "2026-11-01"})
    with serve("gazd"):
        assert Invoice.objects.get(pk=invoice.pk).state == "recorded"


def test_vouchers_by_hand_balance_are_reversed_and_stop_at_the_closing(clerk, serve):
    clerk.post("/gazd/evek/uj", {"year": YEAR})
    place = "/gazd/bizonylatok/uj"
    data = {"day": "2026-01-05", "text": "átvezetés", "token": token(clerk, place)}
    debit, credit = {"account": "32", "debit": "5 000"}, {"account": "33", "credit": "4 999"}
    wrong = clerk.post(place, data | rows(debit, credit))
    assert (wrong.status_code, "tartozik 5 000, követel 4 999" in text_of(wrong)) == (422, True)
    both = clerk.post(place, data | rows(debit | {"credit": "1"}, credit))
    assert "vagy tartozik, vagy követel" in text_of(both)
    assert clerk.post(place, data | rows(debit, credit | {"credit": "5000"})).status_code == 302
    with serve("gazd"):
        voucher = Voucher.objects.get()
    assert clerk.post(f"/gazd/bizonylatok/{voucher.pk}/storno", {"day": "2026-01-06"}).status_code == 302
    twice = clerk.post(f"/gazd/bizonylatok/{voucher.pk}/storno", {"day": "2026-01-06"})
    assert (twice.status_code, "már stornózták" in text_of(twice)) == (422, True)
    assert "stornózva" in text_of(clerk.get(f"/gazd/bizonylatok/{voucher.pk}/"))
    assert clerk.post(f"/gazd/evek/{YEAR}/zaras", {"day": "2026-01-31"}).status_code == 302
    receipt = {"day": "2026-01-31", "item": "B4", "account": "33", "amount": "10", "text": "bérlet"}
    response = clerk.post("/gazd/bizonylatok/bevetel", receipt | {"token": token(clerk, "/gazd/bizonylatok/bevetel")})
    assert (response.status_code, "lezárt időszakra" in text_of(response)) == (422, True)
    with serve("gazd"):
        assert Voucher.objects.count() == 2


def test_money_moved_by_hand_is_in_the_cash_report_whose_total_is_that_of_the_cash_accounts(clerk, serve):
    clerk.post("/gazd/evek/uj", {"year": YEAR})
    place = "/gazd/bizonylatok/uj"

    def by_hand(*lines):
        data = {"day": "2026-01-05", "text": "kézi", "token": token(clerk, place)}
        return clerk.post(place, data | rows(*lines))

    fee, out = {"account": "84", "debit": "700"}, {"account": "33", "credit": "700"}
    wrong = by_hand(fee, out)
    assert (wrong.status_code, "700 Ft kimaradna a pénzforgalmi jelentésből" in text_of(wrong)) == (422, True)
    half = by_hand({"account": "32", "debit": "700"}, out | {"item": "K3"})
    assert half.status_code == 422, "an item on one side only"
    assert by_hand(fee, out | {"item": "K5"}).status_code == 302
    income = {"account": "32", "debit": "300", "item": "B4"}, {"account": "91", "credit": "300"}
    assert by_hand(*income).status_code == 302
    assert by_hand({"account": "32", "debit": "50"}, {"account": "33", "credit": "50"}).status_code == 302
    cash = sheet_rows(clerk.get(f"/gazd/kimutatasok/penzforgalmi-jelentes.xlsx?ev={YEAR}"))
    assert [(row[0], row[-1]) for row in cash[1:]] == [("B4", 300), ("K5", 700), ("Pénzeszközök változása", -400)]
    assert 'id="penzmozgas">−400<' in text_of(clerk.get(f"/gazd/kimutatasok/?ev={YEAR}"))
    with serve("gazd"):
        cash_balance = Entry.objects.filter(account__cash=True).aggregate(n=Sum("debit") - Sum("credit"))["n"]
        assert cash_balance == -400
    with serve("gazd"), transaction.atomic():
        old = Voucher.objects.create(year_id=YEAR, kind="receipt", day="2026-01-06", text="x", total=9, recorded_by="k")
        Entry.objects.create(voucher=old, account_id="33", debit=9)
        Entry.objects.create(voucher=old, account_id="91", credit=9)
    cash = sheet_rows(clerk.get(f"/gazd/kimutatasok/penzforgalmi-jelentes.xlsx?ev={YEAR}"))
    assert cash[-2:] == [["Rovat nélküli pénzmozgás", 9], ["Pénzeszközök változása", -391]]


def test_a_partner_sent_twice_at_once_is_told_by_the_form(clerk, serve, monkeypatch):
    """The form of the second was checked before the first was saved."""
    monkeypatch.setattr(PartnerForm, "validate_unique", lambda form: None)
    data = {"tax_number": FIRM, "name": "Próba Kft.", "address": "Sajószentpéter", "bank_account": ""}
    assert clerk.post("/gazd/partnerek/uj", data).status_code == 302
    twice = clerk.post("/gazd/partnerek/uj", data)
    assert (twice.status_code, "Ezzel az adószámmal már van partner." in text_of(twice)) == (422, True)
    with serve("gazd"):
        assert Partner.objects.count() == 1


def test_a_year_is_closed_and_the_next_one_opened_on_the_pages(clerk, serve):
    clerk.post("/gazd/evek/uj", {"year": YEAR})
    receipt = {"day": "2026-01-31", "item": "B4", "account": "33", "amount": "10", "text": "bérlet"}
    clerk.post("/gazd/bizonylatok/bevetel", receipt | {"token": token(clerk, "/gazd/bizonylatok/bevetel")})
    assert clerk.post("/gazd/evek/uj", {"year": YEAR + 1}).status_code == 302
    early = clerk.post(f"/gazd/evek/{YEAR + 1}/zaras", {"day": f"{YEAR + 1}-01-31"})
    assert (early.status_code, f"Előbb a(z) {YEAR}. évet" in text_of(early)) == (422, True)
    assert clerk.post(f"/gazd/evek/{YEAR}/zaras", {"day": f"{YEAR}-12-31"}).status_code == 302
    assert f"Nyitás a(z) {YEAR}. év záró egyenlegeivel" in text_of(clerk.get(f"/gazd/bizonylatok/?ev={YEAR + 1}"))
    before = clerk.post("/gazd/evek/uj", {"year": YEAR - 1})
    assert (before.status_code, "későbbi év már nyitva" in text_of(before)) == (422, True)
    with serve("gazd"):
        assert Voucher.objects.get(kind="opening").recorded_by == "minta.ilona"


CHANGING = ["evek/uj", "partnerek/uj", "bizonylatok/uj", "bizonylatok/bevetel", "evek/2026/zaras", "szamlak/fizetes"]


@pytest.mark.parametrize("path", CHANGING)
def test_a_reader_changes_nothing(browse, serve, path):
    reader = browse("gazd", "olvaso")
    assert reader.get("/gazd/").status_code == 200
    assert reader.post(f"/gazd/{path}", {"year": YEAR}).status_code == 403
    with serve("gazd"):
        assert not FiscalYear.objects.exists()


@pytest.mark.parametrize("place", ["eloiranyzatok", "kotelezettsegek", "szamlak", "bizonylatok"])
def test_an_unknown_id_is_not_found(clerk, place):
    assert clerk.get(f"/gazd/{place}/987654/").status_code == 404


def test_every_page_shows_the_invented_data(browse, serve):
    clerk = browse("gazd", "konyvelo", "utalvanyozo")
    with serve("gazd"):
        assert synthetic.fill("16054", seed=3)
        pks = [m.objects.order_by("pk").first().pk for m in (Appropriation, Commitment, Invoice, Voucher)]
        year = FiscalYear.objects.get().year
        figures = {(row["measure"], row["dimension"]): row["value"] for row in feed.rows(Voucher.objects.first().day)}
    assert figures[("bizonylat", "")] > 100 and figures[("teljesítés", "K3 Dologi kiadások")] > 0
    places = ["", "kotelezettsegek/", "szamlak/", "szamlak/fizetes", "partnerek/", "bizonylatok/", "kimutatasok/"]
    places += [
        f"{p}/{pk}/" for p, pk in zip(("eloiranyzatok", "kotelezettsegek", "szamlak", "bizonylatok"), pks, strict=True)
    ]
    for place in places:
        page = clerk.get(f"/gazd/{place}")
        assert page.status_code == 200 and "<h1>" in page.content.decode(), place
    assert str(year) in text_of(clerk.get("/gazd/"))

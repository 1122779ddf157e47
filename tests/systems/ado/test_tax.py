"""The tax system on a real database: sums are right, citizen and clerk see the same balance, the chain is answered."""

import datetime as dt
import re
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from systems.ado import assessing, payments
from systems.ado.models import Assessment, Instalment, InterestRate, Payment, Return, Tax, Taxpayer
from systems.chain import relay, send
from systems.shared import identifiers

FIRM = f"1234567{identifiers.firm_check_digit('1234567')}-2-05"


@pytest.fixture
def clerk(browse):
    return browse("ado", "ugyintezo")


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode())


def case(serve, **data):
    """Send what irat passes on for one return; returns its UUID."""
    key = str(uuid.uuid4())
    body = {
        "submission": key,
        "form": "hipa",
        "title": "Helyi iparűzési adóbevallás",
        "applicant": {"name": "Próba Piroska"},
        "data": {
            "taxpayer_identifier": FIRM,
            "taxpayer_name": "Próba Kft.",
            "taxpayer_address": "Sajószentpéter",
            "year": 2024,
            "tax_base": 10_000_050,
        }
        | data,
        "target": "ado",
        "number": "IKT/2026/7-1",
        "submitted_at": "2026-03-05T10:00:00+01:00",
    }
    with serve("irat"), transaction.atomic():
        send("ado", "case", body, key=key)
    with serve("ado"):
        assert relay.deliver() == 1
    return key


def messages_of(node, topic):
    with node.superuser("t16054") as session:
        return [b for (b,) in session.execute("SELECT body FROM chain.message WHERE topic = %s ORDER BY id", [topic])]


def test_a_citizens_return_is_assessed_and_decided(clerk, serve, node):
    key = case(serve)
    assert messages_of(node, "status")[0]["status"] == "in-progress"
    with serve("ado"):
        entry = Return.objects.get()
    page = text_of(clerk.get("/ado/"))
    assert "Próba Kft." in page and "10 000 050" in page
    assert "200\xa0001 Ft" in clerk.get(f"/ado/bevallasok/{entry.pk}/").content.decode()
    assert clerk.post(f"/ado/bevallasok/{entry.pk}/elfogadas").status_code == 302
    with serve("ado"):
        assessment = Assessment.objects.get()
        assert (assessment.amount, sum(assessment.instalments.values_list("amount", flat=True))) == (200_001, 200_001)
        assert [str(day) for day in assessment.instalments.values_list("due", flat=True)] == ["2025-06-02"]
    (decision,) = messages_of(node, "decision")
    assert (decision["submission"], decision["outcome"], decision["decided_by"]) == (key, "accepted", "Minta Ilona")
    assert decision["document"].startswith("JVBERi"), "a PDF"


def test_a_return_is_rejected_with_a_reason_and_once(clerk, serve, node):
    case(serve)
    with serve("ado"):
        pk = Return.objects.get().pk
    assert clerk.post(f"/ado/bevallasok/{pk}/elutasitas", {"reason": ""}).status_code == 422
    clerk.post(f"/ado/bevallasok/{pk}/elutasitas", {"reason": "hiányos"})
    clerk.post(f"/ado/bevallasok/{pk}/elfogadas")
    assert [d["outcome"] for d in messages_of(node, "decision")] == ["rejected"]
    with serve("ado"):
        assert not Assessment.objects.exists()


def test_a_year_is_assessed_once(clerk, serve):
    for _ in range(2):
        case(serve)
    with serve("ado"):
        first, second = Return.objects.values_list("pk", flat=True)
    clerk.post(f"/ado/bevallasok/{first}/elfogadas")
    page = clerk.post(f"/ado/bevallasok/{second}/elfogadas", follow=True)
    assert "már ki van vetve" in text_of(page)


def test_a_form_that_no_tax_is_known_for_is_dead_and_seen(serve, node):
    with serve("irat"), transaction.atomic():
        body = {"form": "ismeretlen", "data": {}, "submission": str(uuid.uuid4()), "number": "1", "applicant": {}}
        body |= {"submitted_at": "2026-03-05T10:00:00+01:00"}
        send("ado", "case", body, key="x")
    with serve("ado"):
        assert relay.deliver() == 0
    with node.superuser("t16054") as session:
        assert "has no tax" in session.execute("SELECT reason FROM chain.dead").fetchone()[0]


@pytest.fixture
def account(serve):
    """A taxpayer who paid half of last year's tax, late, over two rates."""
    with serve("ado"):
        taxpayer = Taxpayer.objects.create(identifier=FIRM, name="Próba Kft.", address="Sajószentpéter")
        year = timezone.localdate().year - 2
        assessment = Assessment.objects.create(
            taxpayer=taxpayer,
            tax=Tax.objects.get(code="hipa"),
            year=year,
            base=1,
            per_mille=1,
            amount=777_777,
            made_by="x",
        )
        for due, part in assessing.instalments(assessment.tax, assessment.amount, year):
            Instalment.objects.create(assessment=assessment, due=due, amount=part)
        InterestRate.objects.create(since=dt.date(year + 1, 6, 1), basis_points=1337, source="próba")
        day = dt.date(year + 1, 7, 3)
        payments.receive([Payment(taxpayer=taxpayer, day=day, amount=400_000, reference="B1", recorded_by="x")])
        return taxpayer


def test_the_citizens_balance_is_the_clerks_to_the_forint(account, serve):
    with serve("ado"):
        balance = account.balance()
    assert balance.interest > 0
    with serve("elugy"), connection.cursor() as cursor:
        cursor.execute("SELECT due, paid, interest, balance, as_of FROM ado.balance_of(%s)", [FIRM])
        assert cursor.fetchone() == (balance.due, balance.paid, balance.interest, balance.owed, balance.day)


def test_only_the_e_administration_may_read_it(account, serve):
    from django.db import DatabaseError

    for system, sql in (
        ("irat", "SELECT * FROM ado.balance_of('x')"),
        ("elugy", "SELECT * FROM ado.citizen_balance"),
        ("elugy", "SELECT * FROM ado.balance_question"),
        ("elugy", "SELECT * FROM ado.payment"),
    ):
        with serve(system), pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
            cursor.execute(sql)


def test_a_payment_counts_once_by_its_reference(account, clerk, serve):
    path = f"/ado/adozok/{account.pk}/befizetes"
    form = {"day": "2026-01-05", "amount": "10 000", "reference": "B2"}
    assert clerk.post(path, form).status_code == 302
    assert clerk.post(path, form).status_code == 422
    with serve("ado"):
        assert account.balance().paid == 410_000


@pytest.mark.parametrize(
    ("changes", "cause"),
    [({"amount": "0"}, "nagyobb nullánál"), ({"amount": "1,5"}, "Egész forintot"), ({"day": "2999-01-01"}, "jövőben")],
)
def test_wrong_payments_are_refused(account, clerk, changes, cause):
    form = {"day": "2026-01-05", "amount": "10 000", "reference": "B2"} | changes
    page = clerk.post(f"/ado/adozok/{account.pk}/befizetes", form)
    assert (page.status_code, cause in text_of(page)) == (422, True)


def test_the_database_refuses_what_cannot_be(account, serve):
    with serve("ado"):
        for wrong in (0, -5):
            with pytest.raises(IntegrityError, match="payment_reasoned"), transaction.atomic():
                Payment.objects.create(
                    taxpayer=account, day=dt.date(2026, 1, 1), amount=wrong, reference=f"x{wrong}", recorded_by="x"
                )


def test_who_only_reads_changes_nothing(account, browse):
    reader = browse("ado", "olvaso")
    assert reader.get(f"/ado/adozok/{account.pk}/").status_code == 200
    assert reader.get(f"/ado/adozok/{account.pk}/befizetes").status_code == 403


def test_arrears_and_the_extract(account, clerk):
    page = text_of(clerk.get("/ado/hatralekok/"))
    assert "Próba Kft." in page
    pdf = clerk.get(f"/ado/adozok/{account.pk}/kivonat.pdf")
    assert pdf.content.startswith(b"%PDF-") and f"adoszamla-{FIRM}.pdf" in pdf["Content-Disposition"]


def test_a_wrong_identifier_is_told(clerk):
    page = clerk.post("/ado/adozok/uj", {"identifier": "12345678-1-05", "name": "X", "address": "Y"})
    assert (page.status_code, "ellenőrző számjegye hibás" in text_of(page)) == (422, True)

"""The property register on a real database: merging and splitting keep every square metre and forint, history stays."""

import datetime as dt
import re
import threading
import uuid

import pytest
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from systems import synthetic, tenancy
from systems.core.errors import NotPossible
from systems.ivk import feed, lot, registering, summaries
from systems.ivk.models import Change, Parcel

FIRST = dt.date(2026, 1, 1)


def day(n):
    return FIRST + dt.timedelta(days=n)


def parcel(number="12", **values):
    given_values = {
        "area": "inner",
        "use": "kivett udvar",
        "square_metres": 1001,
        "gross": 2_000_001,
        "depreciation": 501,
        "transferability": "business",
        "since": FIRST,
    }
    return Parcel(lot=number, **given_values | values)


def add_parcel(number="12", **values):
    return registering.add(parcel(number, **values), "felvétel", "k")


def parts(number, *of):
    return [
        parcel(f"{number}/{n}", square_metres=metres, gross=gross, depreciation=depreciation)
        for n, (metres, gross, depreciation) in enumerate(of, 1)
    ]


@pytest.fixture
def ivk(serve):
    with serve("ivk"):
        yield


def test_a_split_keeps_the_sums_and_the_ancestry(ivk):
    old = add_parcel()
    with pytest.raises(NotPossible, match="terület összege eltér: előtte 1001, utána 1000"):
        registering.replace([old.pk], parts("12", (500, 1_000_000, 0), (500, 1_000_001, 501)), day(5), "x", "k")
    assert not Parcel.objects.filter(lot="12/1").exists(), "whole or not at all"
    children = registering.replace([old.pk], parts("12", (500, 1_000_000, 0), (501, 1_000_001, 501)), day(5), "x", "k")
    (whole,) = registering.replace([p.pk for p in children], [parcel("13")], day(9), "vissza", "k")
    assert [p.lot for p in registering.ancestors(whole)][-1] == "12"
    assert len(registering.ancestors(whole)) == 3
    for n in (4, 5, 8, 9):
        total = summaries.total(summaries.by_class(day(n)))
        assert (total.square_metres, total.gross, total.depreciation) == (1001, 2_000_001, 501), n
    assert [summaries.total(summaries.by_class(day(n))).count for n in (-1, 4, 5, 9)] == [0, 1, 2, 1]
    with pytest.raises(NotPossible, match="megszűnt"):
        registering.change(old.pk, {"gross": 1}, day(10), "x", "k")


def test_any_day_is_known_and_nothing_goes_back(ivk):
    subject = add_parcel()
    registering.change(subject.pk, {"gross": 3_000_000}, day(10), "felújítás", "k")
    with pytest.raises(NotPossible, match="későbbi"):
        registering.change(subject.pk, {"gross": 1}, day(9), "x", "k")
    registering.end(subject.pk, day(20), "eladás", "k")
    subject.refresh_from_db()
    grosses = [(subject.as_of(day(n)) or {}).get("gross") for n in (-1, 0, 9, 10, 19, 20)]
    assert grosses == [None, 2_000_001, 2_000_001, 3_000_000, 3_000_000, None]


def test_of_two_changes_on_one_day_the_later_one_holds(ivk):
    subject = add_parcel()
    for gross in (3_000_000, 4_000_000):
        registering.change(subject.pk, {"gross": gross}, FIRST, "értékelés", "k")
    assert subject.as_of(FIRST)["gross"] == 4_000_000
    assert summaries.total(summaries.by_class(FIRST)).gross == 4_000_000
    registering.end(subject.pk, FIRST, "eladás", "k")
    subject.refresh_from_db()
    assert subject.as_of(FIRST) is None and not summaries.by_class(FIRST)


def test_a_parcel_counts_once_in_a_merger(ivk):
    subject = add_parcel()
    with pytest.raises(NotPossible, match="csak egyszer szerepelhet"):
        registering.replace([subject.pk, subject.pk], [parcel("13")], day(1), "x", "k")
    assert not Parcel.objects.exclude(ended=None).exists()


@pytest.mark.parametrize("metres", [1000, 1002])
def test_a_split_neither_loses_nor_wins_a_square_metre(ivk, metres):
    old = add_parcel()
    of = (500, 1_000_000, 0), (metres - 500, 1_000_001, 501)
    with pytest.raises(NotPossible, match=f"előtte 1001, utána {metres}"):
        registering.replace([old.pk], parts("12", *of), day(5), "x", "k")


def test_the_database_keeps_the_history_and_its_bounds(ivk):
    subject = add_parcel()
    for change in (
        lambda: Change.objects.update(reason="más"),
        lambda: Parcel.objects.filter(pk=subject.pk)._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError, match="only ever added"):
            change()
    for values in ({"depreciation": 2_000_002}, {"share_part": 2}, {"square_metres": 0}):
        with pytest.raises(IntegrityError, match="violates check"):
            Parcel.objects.filter(pk=subject.pk).update(**values)
    with pytest.raises(NotPossible, match="már van ingatlan"):
        add_parcel()
    add_parcel(area="garden")


def test_what_differs_in_kind_is_not_merged(ivk):
    one, other = add_parcel("1"), add_parcel("2", transferability="limited")
    double = {"square_metres": 2002, "gross": 4_000_002, "depreciation": 1002}
    with pytest.raises(NotPossible, match="forgalomképesség"):
        registering.replace([one.pk, other.pk], [parcel("3", **double)], day(1), "x", "k")
    with pytest.raises(NotPossible, match="Összevonni"):
        registering.replace([one.pk], [parcel("3")], day(1), "x", "k")


@pytest.mark.parametrize(
    "differs",
    [{"area": "outer"}, {"share_part": 1, "share_whole": 2}, {"share_whole": 3}, {"transferability": "limited"}],
)
@pytest.mark.parametrize("who", ["parent", "child"])
def test_what_differs_in_place_share_or_kind_is_not_merged_or_split(ivk, differs, who):
    halves = {"square_metres": 500, "gross": 1000, "depreciation": 0}
    whole = {"square_metres": 1000, "gross": 2000, "depreciation": 0}
    changes = differs if who == "parent" else {}
    others = [add_parcel("1", **halves), add_parcel("2", **halves | changes)]
    child = parcel("3", **whole | (differs if who == "child" else {}))
    with pytest.raises(NotPossible, match="a tulajdoni hányad és a forgalomképesség"):
        registering.replace([one.pk for one in others], [child], day(1), "x", "k")
    assert not Parcel.objects.exclude(ended=None).exists() and not Parcel.objects.filter(lot="3").exists()
    if who == "child":
        old = add_parcel("4", **whole)
        with pytest.raises(NotPossible, match="a tulajdoni hányad és a forgalomképesség"):
            registering.replace(
                [old.pk], [parcel("4/1", **halves), parcel("4/2", **halves | differs)], day(1), "x", "k"
            )


def test_equal_shares_are_merged(ivk):
    halves = {"square_metres": 500, "gross": 1000, "depreciation": 0, "share_part": 1, "share_whole": 2}
    pks = [add_parcel(lot, **halves).pk for lot in ("1", "2")]
    double = halves | {"square_metres": 1000, "gross": 2000}
    (child,) = registering.replace(pks, [parcel("3", **double)], day(1), "x", "k")
    assert (child.share_part, child.share_whole) == (1, 2)


def _together(work, threads):
    """Run `work(n)` in threads at once, each with its own connection; returns results or refusals."""
    current, barrier, outcomes = tenancy.current(), threading.Barrier(threads), []

    def one(n):
        with tenancy.serving(current):
            try:
                connection.ensure_connection()
                barrier.wait(30)
                outcomes.append(work(n))
            except Exception as fault:
                outcomes.append(fault)
            finally:
                connection.close()

    workers = [threading.Thread(target=one, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert all(isinstance(result, list | NotPossible) for result in outcomes), outcomes
    return outcomes


def test_a_parcel_is_split_once_by_many(ivk):
    old = add_parcel()

    def work(n):
        halves = parts(str(100 + n), (500, 1_000_000, 0), (501, 1_000_001, 501))
        return registering.replace([old.pk], halves, day(5), "x", "k")

    outcomes = _together(work, 5)
    assert sum(isinstance(result, list) for result in outcomes) == 1 and len(outcomes) == 5
    assert summaries.total(summaries.by_class(day(5))).square_metres == 1001


def test_parcels_are_merged_once_by_many_in_whatever_order_they_name_them(ivk):
    """Each merger includes one of the parcels of every other one."""
    old = [add_parcel(number).pk for number in ("1", "2", "3")]
    double = {"square_metres": 2002, "gross": 4_000_002, "depreciation": 1002}

    def work(n):
        pair = [old[n % 3], old[(n + 1) % 3]]
        return registering.replace(pair, [parcel(str(100 + n), **double)], day(5), "x", "k")

    outcomes = _together(work, 6)
    assert sum(isinstance(result, list) for result in outcomes) == 1 and len(outcomes) == 6
    total = summaries.total(summaries.by_class(day(5)))
    assert (total.count, total.square_metres, total.gross) == (2, 3003, 6_000_003)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 10**6), st.integers(0, 10**12), st.integers(1, 10**6), st.integers(0, 10**12))
def test_any_exact_split_adds_up_and_any_other_is_refused(ivk, metres, gross, cut, value_cut):
    number = str(Parcel.objects.count() + 1)
    old = add_parcel(number, square_metres=metres, gross=gross, depreciation=0)
    cut, value_cut = 1 + cut % (metres - 1), value_cut % (gross + 1)
    exact = [(cut, value_cut, 0), (metres - cut, gross - value_cut, 0)]
    wrong = [exact[0], (metres - cut + 1, gross - value_cut, 0)]
    with pytest.raises(NotPossible, match="terület"):
        registering.replace([old.pk], parts(number, *wrong), day(1), "x", "k")
    children = registering.replace([old.pk], parts(number, *exact), day(1), "x", "k")
    assert (sum(p.square_metres for p in children), sum(p.gross for p in children)) == (metres, gross)


def test_lots_are_listed_in_their_own_order(ivk):
    for number in ("10", "9", "9/10", "9/2", "9/2/B", "9/2/A/11", "9/2/A/2"):
        add_parcel(number)
    assert list(Parcel.objects.values_list("lot", flat=True)) == [
        "9", "9/2", "9/2/A/2", "9/2/A/11", "9/2/B", "9/10", "10",
    ]  # fmt: skip


@given(st.text(alphabet="0123456789/AB", max_size=12))
def test_a_lot_is_read_as_it_is_written(text):
    try:
        outer, main, part, building, flat = lot.parse(text)
    except ValueError as error:
        assert "nem helyrajzi szám" in str(error)
        return
    spelling = f"{'0' * outer}{main}" + "".join(f"/{piece}" for piece in (part, building, flat) if piece)
    assert spelling == text


def text_of(page):
    return re.sub(r"\s+", " ", page.content.decode()).replace("\xa0", " ")


@pytest.fixture
def clerk(browse):
    return browse("ivk", "ugyintezo")


SENT = {
    "lot": "hrsz. 123/4/a/5",
    "area": "inner",
    "address": "Kossuth utca 1.",
    "use": "kivett lakás",
    "square_metres": "60",
    "share_part": "1",
    "share_whole": "2",
    "gross": "12 000 000",
    "depreciation": "2 000 000",
    "transferability": "business",
    "encumbrance": "",
    "day": "2026-01-05",
    "reason": "IKT/2026/1-1",
}


def post_new(clerk, **values):
    return clerk.post("/ivk/uj", SENT | {"token": str(uuid.uuid4())} | values)


def test_a_clerk_registers_changes_splits_and_prints(clerk, serve):
    place = post_new(clerk)["Location"]
    page = text_of(clerk.get(place))
    assert "123/4/A/5 (belterület)" in page and "10 000 000 Ft" in page and "1/2" in page
    same = clerk.post(f"{place}modositas", SENT | {"day": "2026-02-01"})
    assert (same.status_code, "Semmi nem változott" in text_of(same)) == (422, True)
    assert clerk.post(f"{place}modositas", SENT | {"day": "2026-02-01", "gross": "12 000 001"}).status_code == 302
    assert "10 000 000 Ft" in text_of(clerk.get(f"{place}?nap=2026-01-31"))
    assert "10 000 001 Ft" in text_of(clerk.get(f"{place}?nap=2026-02-01"))
    assert "nem szerepelt" in text_of(clerk.get(f"{place}?nap=2026-01-04"))
    rows = {"form-TOTAL_FORMS": "6", "form-INITIAL_FORMS": "0", "day": "2026-03-01", "reason": "megosztás"}
    for n, (number, metres, gross, depreciation) in enumerate([("5", 30, 12_000_000, 2_000_000), ("6", 30, 1, 0)]):
        rows |= {
            f"form-{n}-lot": f"123/4/A/{number}",
            f"form-{n}-square_metres": metres,
            f"form-{n}-gross": gross,
            f"form-{n}-depreciation": depreciation,
        }
    wrong = clerk.post(f"{place}megosztas", rows | {"form-1-square_metres": 31})
    assert (wrong.status_code, "terület összege eltér" in text_of(wrong)) == (422, True)
    assert clerk.post(f"{place}megosztas", rows).status_code == 302
    page = text_of(clerk.get(place))
    assert "megszűnt: 2026. 03. 01." in page and "Ebből lett" in page
    pdf = clerk.get(f"{place}lap.pdf?nap=2026-02-01")
    assert pdf.content.startswith(b"%PDF-") and len(pdf.content) > 5000
    with serve("ivk"):
        live = list(Parcel.objects.filter(ended=None).values_list("lot", flat=True))
    merged = {"area": "inner", "old": "\n".join(live), "lot": "123/9", "day": "2026-04-01", "reason": "összevonás"}
    for old, cause in {"123/4/A/5": "két különböző", "123/4/A/5, 9": "nincs a nyilvántartásban: 9"}.items():
        wrong = clerk.post("/ivk/osszevonas", merged | {"old": old})
        assert (wrong.status_code, cause in text_of(wrong)) == (422, True)
    place = clerk.post("/ivk/osszevonas", merged)["Location"]
    page = text_of(clerk.get(place))
    assert "10 000 001 Ft" in page and "Jogelődök" in page
    assert 'id="netto">10 000 001' in text_of(clerk.get("/ivk/osszesites/?nap=2026-04-01"))
    assert "késve" in text_of(clerk.get("/ivk/valtozasok/")), "recorded months after they happened"
    assert clerk.post(f"{place}kivezetes", {"day": "2026-05-01", "reason": "eladás"}).status_code == 302
    assert clerk.get("/ivk/osszesites/ingatlanvagyon.xlsx?nap=2026-04-01").content.startswith(b"PK")


WRONG = {
    "lot": ("12/", "nem helyrajzi szám"),
    "area": ("outer", "0-val kezdődik"),
    "share_part": ("3", "tulajdoni hányad"),
    "depreciation": ("12000001", "több a bruttó"),
    "square_metres": ("0", "nagyobb legyen nullánál"),
    "gross": ("1,5", "Egész forintot"),
    "day": ("2999-01-01", "nem lehet a jövőben"),
}


@pytest.mark.parametrize("field", WRONG)
def test_what_cannot_be_is_refused_and_nothing_is_kept(clerk, serve, field):
    value, cause = WRONG[field]
    page = post_new(clerk, **{field: value})
    assert (page.status_code, cause in text_of(page)) == (422, True), text_of(page)
    assert "Constraint" not in text_of(page)
    with serve("ivk"):
        assert not Parcel.objects.exists()


def test_sending_twice_registers_once(clerk, serve):
    token = str(uuid.uuid4())
    assert post_new(clerk, token=token).status_code == 302
    assert post_new(clerk, token=token, lot="77").status_code == 422
    with serve("ivk"):
        assert Parcel.objects.count() == 1


def test_a_reader_changes_nothing_and_unknown_ids_are_not_found(browse, clerk, serve):
    place = post_new(clerk)["Location"]
    reader = browse("ivk", "olvaso")
    for path in ("/ivk/uj", "/ivk/osszevonas", f"{place}modositas", f"{place}megosztas", f"{place}kivezetes"):
        assert reader.post(path, SENT).status_code == 403, path
    assert "Adatváltozás" not in text_of(reader.get(place)).split("<h2>")[0]
    for path in ("", "lap.pdf", "modositas", "megosztas", "kivezetes"):
        assert clerk.get(f"/ivk/ingatlan/987654/{path}").status_code == 404


def test_the_invented_register_is_found_summed_and_fed(clerk, serve):
    with serve("ivk"):
        assert synthetic.fill("16054", seed=2)
        today = dt.date.today()
        total = summaries.total(summaries.by_class(today))
        live = Parcel.objects.filter(ended=None)
        assert (total.count, total.gross) == (live.count(), sum(live.values_list("gross", flat=True)))
        gross_in_feed = sum(row["value"] for row in feed.rows(today) if row["measure"] == "ingatlanok bruttó értéke")
        assert gross_in_feed == total.gross
        some = live.filter(area="outer").first()
    assert f">{some.lot}<" in text_of(clerk.get(f"/ivk/?q={some.lot}"))
    assert "Nincs ilyen ingatlan" in text_of(clerk.get("/ivk/?q=nincsilyen"))
    for place in ("", "?oldal=2&fekves=inner", "valtozasok/", "osszesites/"):
        assert clerk.get(f"/ivk/{place}").status_code == 200

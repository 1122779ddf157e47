"""What the Treasury is told: no single municipality, no few persons, and nothing that subtraction would bring out."""

import csv
import datetime as dt
import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centre.statistics import disclosure, publication, publish
from centre.statistics.disclosure import Rule, hidden, merged, tellable, total
from centre.statistics.figures import Delivered, counted, missing
from centre.statistics.protection import Rounding
from centre.statistics.publish import TreasuryFault
from inventory.errors import RegisterError
from tests.unit.inventory.register_copy import Copy

RULE = Rule(smallest=5, remainder=10)
ROUNDING = Rounding(b"key", count_step=10, forint_step=10_000)
DAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([40, 30, 20], "count", True),
        ([2, 1, 1], "count", False),  # four persons
        ([2, 2, 1], "count", True),
        ([40, 30], "count", False),  # each would read the other's
        ([40, 30, 0], "count", False),  # the third adds nothing
        ([0, 0, 0], "count", True),
        ([0, 0], "count", False),  # of two nothings, each would know that the other has nothing
        ([], "count", False),
        ([1000, 500, 99], "forint", False),  # the second may guess the first within ten percent
        ([1000, 500, 100], "forint", True),
        ([-1000, 500, 100], "forint", True),
        ([1, 1, 1], "forint", True),  # three forints are no three persons
    ],
)
def test_what_may_be_told_of_one_cell(values, kind, expected):
    cell = {f"{n:05}": value for n, value in enumerate(values)}
    assert tellable(cell, kind, RULE) is expected


def test_a_single_hidden_part_takes_the_smallest_that_protects_it_along():
    def cell(*values):
        return dict(zip("abcd", values, strict=False))

    parts = {"small": cell(1, 1, 1), "middle": cell(9, 9, 9), "large": cell(50, 50, 50)}
    assert hidden(parts, "count", RULE) == {"small", "middle"}
    # Two sensitive parts of one municipality's own: together they are still its own.
    parts = {"x": cell(30), "y": cell(20), "z": cell(10, 10, 10), "w": cell(60, 60, 60)}
    assert hidden(parts, "count", RULE) == {"x", "y", "z"}
    # A part of nothing protects no other, and need not be withheld.
    parts = {"small": cell(1, 1, 1), "nothing": cell(0, 0, 0), "middle": cell(9, 9, 9), "large": cell(50, 50, 50)}
    assert hidden(parts, "count", RULE) == {"small", "middle"}
    # Where nothing protects, nothing is told: not even that the rest is nothing.
    parts = {"own": cell(30), "nothing": {"b": 0, "c": 0, "d": 0}}
    assert hidden(parts, "count", RULE) == {"own", "nothing"}
    assert hidden({"z": cell(10, 10, 10), "w": cell(60, 60, 60)}, "count", RULE) == set()


cells = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 60), max_size=8)
groups = st.dictionaries(st.sampled_from(["p", "q", "r", "s", "t"]), cells, min_size=1)


@settings(max_examples=500, deadline=None)
@given(group=groups, kind=st.sampled_from(["count", "forint"]))
def test_nothing_that_is_told_or_subtracted_is_sensitive(group, kind):
    kept_back = hidden(group, kind, RULE)
    for name in group.keys() - kept_back:
        assert tellable(group[name], kind, RULE)
    whole = merged(list(group.values()))
    if kept_back and tellable(whole, kind, RULE):
        # An attacker has the total and what is told; the difference is the only thing left to know.
        rest = total(whole) - sum(total(group[name]) for name in group.keys() - kept_back)
        among = merged([group[name] for name in kept_back])
        assert rest == total(among)
        assert tellable(among, kind, RULE), "what is left after subtraction is a cell that may be told"
        assert len(kept_back) > 1 or len(group) == 1


@settings(max_examples=200, deadline=None)
@given(group=groups)
def test_no_more_is_hidden_than_the_smallest_others_need(group):
    kept_back = hidden(group, "count", RULE)
    if not any(not tellable(cell, "count", RULE) for cell in group.values()):
        assert kept_back == set()


def four(copy):
    """A register of the joined municipalities, and figures of each, most of them multiples of their steps."""
    copy.edit("environments/dev/municipalities/29188-nagybarca.yaml", "training: true", "training: false")
    register = copy.load()
    municipalities = counted(register, with_connecting=True)
    assert len(municipalities) == 4
    figures = {}
    for n, municipality in enumerate(municipalities):
        rows = [
            ("irat", "iktatott irat", "bejövő", "count", 10 + 10 * n),
            ("irat", "iktatott irat", "kimenő", "count", 20 + 10 * n),
            ("irat", "lejárt határidejű ügyirat", "összes", "count", 10 if n < 2 else 0),
            ("ado", "befizetett adó", "", "forint", 1_000_000 if n == 0 else 1000),
        ]
        figures[municipality.ksh] = Delivered(["irat", "ado"], rows)
    return register, municipalities, figures


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_a_day_is_published_as_page_table_and_json(copy, tmp_path):
    register, municipalities, figures = four(copy)
    result = publication.compile_day(register, DAY, municipalities, ["ado", "irat"], figures, ROUNDING)
    files = publication.write(result, tmp_path / "day")
    assert [file.name for file in files] == ["report.html", "figures.csv", "figures.json"]
    assert publication.published(tmp_path / "day")
    rows = list(csv.DictReader(files[1].open(encoding="utf-8"), delimiter=";"))
    values = {(row["mutató"], row["bontás"], row["vármegye"]): row["érték"] for row in rows}
    county = "Borsod-Abaúj-Zemplén"
    assert values["iktatott irat", "", ""] == values["iktatott irat", "", county] == "240"
    assert values["iktatott irat", "bejövő", ""] == "100" and values["iktatott irat", "kimenő", ""] == "140"
    assert values["lejárt határidejű ügyirat", "", ""] == values["lejárt határidejű ügyirat", "", county] == ".."
    assert values["befizetett adó", "", ""] == values["befizetett adó", "", county] == "..", (
        "one of them pays nearly all"
    )
    answer = json.loads(files[2].read_text(encoding="utf-8"))
    assert "1000000" not in json.dumps(answer) and answer["municipalities"] == 4
    assert (answer["count_step"], answer["forint_step"]) == (10, 10_000), "how it is protected"
    assert {row["védelem"] for row in rows} == {"kerekített adatok összege", "nem közölhető"}
    page = files[0].read_text(encoding="utf-8")
    assert "legalább 10" in page and "10\u00a0000&nbsp;Ft" in page
    assert "240\u00a0db" in page.replace("&nbsp;", "\u00a0") and "<script" not in page
    for municipality in municipalities:
        assert municipality.name not in page and municipality.ksh not in page


def test_who_counts(copy):
    register = copy.load()
    assert [municipality.name for municipality in counted(register)] == ["Sajószentpéter"]
    names = [municipality.name for municipality in counted(register, with_connecting=True)]
    assert len(names) == 3 and "Nagybarca" not in names, "a sandbox's invented figures never count"


def test_missing_feeds_are_named_by_municipality(copy):
    _, municipalities, figures = four(copy)
    last = municipalities[-1]
    figures[last.ksh] = Delivered(["irat"], [])
    assert [(m.ksh, lacks) for m, lacks in missing(municipalities, ["irat", "ado"], figures)] == [(last.ksh, ["ado"])]
    assert list(missing(municipalities, ["irat"], figures)) == []


@pytest.mark.parametrize(
    ("text", "message"), [("tegnap", "wanted a day"), ("2026-11-23", "a day that is over"), ("2027-01-01", "over")]
)
def test_a_day_that_is_not_over_is_refused(text, message):
    with pytest.raises(TreasuryFault, match=re.escape(message)):
        publish.day_of(text, dt.date(2026, 11, 23))


def test_yesterday_is_the_default():
    assert publish.day_of(None, dt.date(2026, 11, 23)) == DAY


def test_steps_come_from_the_register_and_the_key_from_the_vault(copy):
    secrets = SimpleNamespace(password={"statistics_key": "k"}.__getitem__)
    assert publication.rounding_of(copy.load(), secrets) == Rounding(b"k", count_step=10, forint_step=10_000)


def test_thresholds_come_from_the_register(copy):
    assert publication.rule(copy.load()) == RULE
    copy.edit("catalogue/statistics.yaml", "smallest_count: 5", "smallest_count: 2")
    with pytest.raises(RegisterError, match="smallest_count"):
        copy.load()


def test_parts_of_a_total_that_is_not_told_are_not_told(copy):
    register, municipalities, figures = four(copy)
    result = publication.compile_day(register, DAY, municipalities, ["irat"], figures, ROUNDING)
    (late,) = [m for m in result.chapters[0].measures if m.name == "lejárt határidejű ügyirat"]
    assert late.total is None and [line.value for line in late.counties] == [None]


def test_parts_that_could_be_told_give_no_total_away_that_may_not(copy):
    """Taxes and what was written off of them: only one municipality has something left, and its sum is its own."""
    register, municipalities, _ = four(copy)
    taxes, written_off = (1_000_000, 500_000), (1_000_000, -500_000)
    figures = {
        municipality.ksh: Delivered(
            ["ado"],
            [
                ("ado", "adó", "kivetett", "forint", taxes[n > 0]),
                ("ado", "adó", "törölt", "forint", written_off[n > 0]),
            ],
        )
        for n, municipality in enumerate(municipalities)
    }
    for amounts in (taxes, written_off):
        assert disclosure.tellable({"a": amounts[0], **dict.fromkeys("bcd", amounts[1])}, "forint", RULE)
    result = publication.compile_day(register, DAY, municipalities, ["ado"], figures, ROUNDING)
    (tax,) = result.chapters[0].measures
    assert (tax.total, [(line.name, line.value) for line in tax.parts]) == (
        None,
        [("kivetett", None), ("törölt", None)],
    )


@pytest.fixture
def warehouses(copy, monkeypatch):
    """The register of four municipalities whose warehouses are read without a cell; what each of them delivered."""
    register, municipalities, figures = four(copy)
    monkeypatch.setattr(publish, "gather", lambda *_: (municipalities, ["ado", "irat"], figures))
    monkeypatch.setattr(publish.vault, "load", lambda _: None)
    monkeypatch.setattr(publish.publication, "rounding_of", lambda *_: ROUNDING)
    return register, municipalities, figures


def test_a_day_is_published_once_and_as_it_was_given_out_it_stays(warehouses, tmp_path):
    register, municipalities, figures = warehouses
    files = publish.publish(register, None, DAY, tmp_path / "day")
    before = [file.read_bytes() for file in files]
    figures[municipalities[0].ksh] = Delivered(["irat", "ado"], [])
    with pytest.raises(TreasuryFault, match=f"{DAY} is published already"):
        publish.publish(register, None, DAY, tmp_path / "day")
    assert [file.read_bytes() for file in files] == before


def test_what_is_missing_is_left_out_only_when_somebody_says_so(warehouses, tmp_path):
    register, municipalities, figures = warehouses
    last = municipalities[-1]
    figures[last.ksh] = Delivered(["irat"], [])
    with pytest.raises(TreasuryFault, match=re.escape(f"feeds are missing: {last.name} ({last.ksh}): ado. Wait")):
        publish.publish(register, None, DAY, tmp_path / "day")
    assert not (tmp_path / "day").exists()
    assert publish.publish(register, None, DAY, tmp_path / "day", incomplete=True)


@pytest.mark.parametrize("files", range(3))
def test_a_day_that_was_written_in_part_does_not_count_as_published(warehouses, tmp_path, monkeypatch, files):
    register, *_ = warehouses
    names, write_whole = [], publication.write_whole

    def full(file, text):
        if len(names) == files:
            raise OSError("no space left")
        names.append(file.name)
        write_whole(file, text)

    with monkeypatch.context() as disk:
        disk.setattr(publication, "write_whole", full)
        with pytest.raises(OSError, match="no space left"):
            publish.publish(register, None, DAY, tmp_path / "day")
    assert len(names) == files and not publication.published(tmp_path / "day")
    assert publish.publish(register, None, DAY, tmp_path / "day")

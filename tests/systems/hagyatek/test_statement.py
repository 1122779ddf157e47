"""A citizen's lines are parsed as far as possible, and nothing in them is lost."""

import pytest

from systems.hagyatek import statement

DATA = {"has_real_estate": False, "has_vehicles": False, "has_bank": False, "has_movables": False, "has_debts": False}


def form_data(name, text, value):
    return statement.assets(DATA | {f"has_{name}": True, name: text, f"{name}_value": value})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("123/4, Sajószentpéter Fő út 1., 1/2", {"reference": "123/4", "place": "", "share_part": 1, "share_whole": 2}),
        ("Miskolc 0123/4 hrsz., szántó", {"reference": "0123/4", "place": "Miskolc"}),
        ("123/A/5 helyrajzi szám, lakás, 3/4", {"reference": "123/A/5", "share_part": 3, "share_whole": 4}),
        ("ház a Fő úton", {}),
        ("123, ház, 5/4", {"reference": "123"}),
    ],
)
def test_real_estate(line, expected):
    (asset,) = form_data("real_estate", line, 10)
    assert (asset["description"], asset["value"]) == (line, 10)
    assert {name: asset[name] for name in expected} == expected
    assert "share_part" in expected or "share_part" not in asset


def test_vehicles_and_accounts():
    vehicles = form_data("vehicles", "abc-123, Suzuki\nTrabant, AA BC-123\nutánfutó", 10)
    assert [v.get("reference") for v in vehicles] == ["ABC-123", "AA BC-123", None]
    (account,) = form_data("bank", "Minta Bank, 11773016-11111018-00000000", 10)
    assert (account["place"], account["reference"]) == ("Minta Bank", "11773016-11111018-00000000")


def test_a_total_of_several_is_nobodys_value():
    several = form_data("movables", "zongora\n\n  festmény \n", 500_000)
    assert [(a["description"], a["value"]) for a in several] == [("zongora", None), ("festmény", None)]
    data = DATA | {"has_movables": True, "movables": "a\nb", "movables_value": 500_000}
    assert statement.stated_totals(data) == {"movables": 500_000}


def test_debts():
    data = DATA | {"has_debts": True, "debts": "Minta Bank, lakáshitel, 2019", "debts_value": 3_000_000}
    assert statement.debts(data) == [{"creditor": "Minta Bank", "basis": "lakáshitel, 2019", "amount": 3_000_000}]
    assert statement.debts(data | {"debts_value": 0})[0]["amount"] is None
    assert statement.debts(DATA) == []


def test_every_question_of_the_electronic_form_has_its_place():
    from systems.elugy.catalogue import estate
    from systems.hagyatek.models import Relation

    assert estate.HEIRS == statement.HEIRS
    assert [code for code, _ in estate.RELATIONS] == Relation.values
    assert {name for name, *_ in estate.ASSETS} == {*statement.ASSETS, "debts"}

"""The page on what a break-in reaches is the one that follows from the data."""

from centre.isolation.break_in import page, reach
from inventory import paths
from inventory.register import load


def test_the_page_says_what_the_data_say():
    text = (paths.ROOT / "docs/reach.md").read_text(encoding="utf-8")
    assert text == page(reach(load("test"))), "run python -m centre.isolation.break_in >docs/reach.md"


def test_every_environment_reaches_the_same():
    assert [row.sends for row in reach(load("dev"))] == [row.sends for row in reach(load("test"))]
    assert [row.reads + row.calls for row in reach(load("dev"))] == [
        row.reads + row.calls for row in reach(load("test"))
    ]


def test_a_public_system_reaches_little():
    portal = next(row for row in reach(load("test")) if row.system == "portal")
    assert portal.public and portal.calls == ()
    assert portal.reads == ("iparker.public_register", "keret.clerk_access")
    assert {target for target, _ in portal.sends} == {"adattar", "keret"}

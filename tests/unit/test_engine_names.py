"""Runs of recorded programs beside each other have names, networks and ports of their own."""

from __future__ import annotations

import pytest

from tests.engine.compare import masked
from tests.engine.conformance import CASES
from tests.engine.names import SLOTS, Names, free_slot, is_of, is_shared

PROGRAMS = sorted(CASES.glob("*/step*.py"))


@pytest.mark.parametrize("slot", range(SLOTS))
def test_every_program_comes_back_as_it_was_recorded(slot):
    assert len(PROGRAMS) > 40
    for path in PROGRAMS:
        text = path.read_text(encoding="utf-8")
        names = Names(slot, path.parent.name)
        own = names.own(text)
        assert names.recorded(own) == text
        assert "cf-" not in own and ("cf-" not in text or names.prefix in own)


def test_two_runs_share_no_name_no_network_and_no_port():
    text = "cf-web 10.77.0.0/24 10.88.20.9 published_port=18080 ncprbr0 ncpr/tagged:1 conformance/tagged:1"
    one, two = (set(Names(slot, "service").own(text).split()) for slot in (0, 1))
    assert not one & two, one & two
    assert Names(1, "service").own("10.9.9.9 conformance/base:1") == "10.9.9.9 conformance/base:1"


def test_two_cases_of_one_run_share_no_name():
    assert Names(0, "box").own("cf-box") != Names(0, "container").own("cf-box")


def test_an_interface_has_its_address_in_it():
    names = Names(2, "box")
    assert names.own("10.88.20.9") == "10.112.20.9"
    assert names.recorded("10.112.20.9 02:42:0a:70:14:09") == "10.88.20.9 02:42:0a:58:14:09"


def test_what_is_left_belongs_to_its_slot():
    assert is_of(0, "cf0box-lan") and not is_of(1, "cf0box-lan") and not is_of(0, "cf-lan")
    assert is_shared(0, "ncpr0r/tagged:1") and not is_shared(1, "ncpr0r/tagged:1")
    assert not is_shared(0, "conformance/base:1")


def test_a_second_run_gets_another_slot(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with free_slot() as one, free_slot() as two:
        assert (one, two) == (0, 1)
    with free_slot() as again:
        assert again == 0


def test_a_name_that_pulumi_made_is_masked():
    assert masked({"name": "cf-data-1a2b3c4"}) == {"name": "cf-data-<random>"}
    assert masked({"name": "cf-data-mountain"}) == {"name": "cf-data-mountain"}

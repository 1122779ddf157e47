"""Invented data: a system fills a municipality once, in proportion, and equally for the same seed."""

import importlib.util

import pytest
from django.apps import apps

from systems import synthetic
from tests.systems.support import OURS, SYSTEMS, THEIRS

INVENTING = [system for system in SYSTEMS if importlib.util.find_spec(f"systems.{system}.synthetic")]


def row_count(serve, system, ksh):
    with serve(system, ksh):
        return {model.__name__: model.objects.count() for model in apps.get_app_config(system).get_models()}


@pytest.mark.parametrize("system", INVENTING)
def test_a_municipality_is_filled_once_and_in_proportion(serve, system):
    empty = row_count(serve, system, OURS)
    with serve(system):
        assert synthetic.fill(OURS, seed=7)
    rows = row_count(serve, system, OURS)
    assert sum(rows.values()) > sum(empty.values())
    with serve(system):
        assert not synthetic.fill(OURS, seed=7)
    assert row_count(serve, system, OURS) == rows
    with serve(system, THEIRS):
        assert synthetic.fill(THEIRS, seed=7)
    assert sum(row_count(serve, system, THEIRS).values()) <= sum(rows.values()), "389 inhabitants against 11,253"


def test_somebody_invents():
    assert {"keret", "helpdesk"} <= set(INVENTING)

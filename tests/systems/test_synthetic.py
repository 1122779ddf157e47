"""Invented data: every system that invents can fill a municipality, once, the same for the same seed, in proportion."""

import importlib.util

import pytest
from django.apps import apps

from systems import synthetic
from tests.systems.support import OURS, SYSTEMS, THEIRS

INVENTING = [system for system in SYSTEMS if importlib.util.find_spec(f"systems.{system}.synthetic")]


def counted(serve, system, ksh):
    with serve(system, ksh):
        return {model.__name__: model.objects.count() for model in apps.get_app_config(system).get_models()}


@pytest.mark.parametrize("system", INVENTING)
def test_a_municipality_is_filled_once_and_in_proportion(serve, system):
    empty = counted(serve, system, OURS)
    with serve(system):
        assert synthetic.fill(OURS, seed=7)
    filled = counted(serve, system, OURS)
    assert sum(filled.values()) > sum(empty.values())
    with serve(system):
        assert not synthetic.fill(OURS, seed=7)
    assert counted(serve, system, OURS) == filled
    with serve(system, THEIRS):
        assert synthetic.fill(THEIRS, seed=7)
    assert sum(counted(serve, system, THEIRS).values()) <= sum(filled.values()), "389 inhabitants against 11,253"


def test_somebody_invents():
    assert {"keret", "helpdesk"} <= set(INVENTING)

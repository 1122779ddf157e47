"""Every recorded case passes with the engine."""

from __future__ import annotations

import pytest

from tests.engine.conformance import CASES, discover, run_cases

RECORDED = {
    "box",
    "component",
    "config",
    "container",
    "drift",
    "options",
    "prov",
    "reference",
    "replace",
    "rotate",
    "secrets",
    "service",
    "service-full",
}


@pytest.fixture(scope="module")
def reports():
    return {report.case: report for report in run_cases(CASES, [])}


def test_all_recordings_are_collected():
    assert {path.name for path in discover(CASES, [])} == RECORDED


@pytest.mark.parametrize("case", sorted(RECORDED))
def test_case(case, reports):
    report = reports[case]
    assert report.steps >= 2
    assert report.faults == []

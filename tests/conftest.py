"""Fixtures that all suites share, and the promise that none of them runs empty."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from centre.reach.runtime import Runtime
from inventory.register import load

# A machine that does other work too makes the drawing of inputs slow: that says nothing about what is tested.
settings.register_profile("asp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("asp")

# The least number of tests that each suite folder must collect: an empty glob or parametrisation is an error.
MINIMUM = {
    "unit": 1020, "systems": 450, "engine": 130, "live/stacks": 90, "live/roles": 160, "live/checks": 8,
    "live/e2e": 20, "live/cells": 10, "roles": 11, "attack": 50,
}  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run whole families of tests, not the first of each")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --long the tests marked so are left out, unless one is asked for by its name."""
    if config.option.long or any("::" in argument for argument in config.args):
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
    items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(scope="session")
def register():
    """The register of the environment under test (ASP_ENV, default test)."""
    return load(os.environ.get("ASP_ENV") or "test")


@pytest.fixture(scope="session")
def runtime(register):
    """The running services of that environment."""
    return Runtime(register)


def pytest_collection_finish(session: pytest.Session) -> None:
    """A suite that was asked for as a whole and collected less than it should is an error."""
    if session.config.option.collectonly or session.config.option.keyword or session.config.option.markexpr:
        return
    root = Path(__file__).parent
    asked = [Path(argument).resolve() for argument in session.config.args]
    for suite, least in MINIMUM.items():
        if root / suite in asked:
            count = sum((root / suite) in item.path.parents for item in session.items)
            if count < least:
                raise pytest.UsageError(f"suite {suite}: {count} tests collected, wanted at least {least}")

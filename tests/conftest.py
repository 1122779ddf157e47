"""Fixtures that all suites share, and the promise that none of them runs empty."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from centre.reach.runtime import Runtime
from inventory.register import load
from tests import counts

# A machine that does other work too makes the drawing of inputs slow: that says nothing about what is tested.
settings.register_profile("asp", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("asp")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run whole families of tests, not the first of each")
    parser.addoption("--shuffle", metavar="SEED", help="run files, and tests within each, in the order of this seed")


def pytest_report_header(config: pytest.Config) -> str | None:
    return f"order: --shuffle {config.option.shuffle}" if config.option.shuffle else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --long the tests marked so are left out, unless one is asked for by its name."""
    if seed := config.option.shuffle:
        items.sort(key=lambda item: (Random(f"{seed} {item.path}").random(), Random(f"{seed} {item.nodeid}").random()))
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
    """A folder that was asked for as a whole and holds another number of tests than is recorded is an error."""
    if not hasattr(session.config, "workerinput"):  # side by side, the process that handed tests out says it, once
        _prove_whole(session.config, (item.path for item in session.items))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """The same where pytest-xdist runs tests side by side: each of its processes has collected all of them."""
    config: pytest.Config = node.config
    _prove_whole(config, (config.rootpath / nodeid.partition("::")[0] for nodeid in ids))


def _prove_whole(config: pytest.Config, files: Iterable[Path]) -> None:
    options = config.option
    if options.collectonly or options.keyword or options.markexpr or options.long or options.deselect or options.ignore:
        return
    arguments = [Path(argument).resolve() for argument in config.args]
    recorded = json.loads(counts.FILE.read_text(encoding="utf-8"))
    if wrong := counts.differences(recorded, counts.of_files(files), arguments):
        raise pytest.UsageError(
            "; ".join([*wrong, "Find out where they went, or write the numbers with `make counts`"])
        )

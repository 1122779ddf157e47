"""Fixtures of the attack suite, its clock, and its table at the end.

The suite attacks the environment of the fixture `register` (ASP_ENV): over loopback at the edge's published ports, and
from inside the environment's own containers. Nothing else is ever contacted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from centre.reach.runtime import Runtime
from inventory.register import Register
from tests.attack import results
from tests.attack.registry import Tries, Untried, of_item
from tests.attack.target import Target
from tests.support.polling import PATIENCE

LONGEST = 1500 * PATIENCE  # seconds of a whole run, which takes some 800; what has not begun by then is untried
LEAST = 200  # attacks of a whole run
ROWS: list[results.Row] = []
STATE: dict[str, float | str] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What disturbs the environment comes last."""
    items.sort(key=lambda item: "test_availability" in item.nodeid)


def pytest_collection_finish(session: pytest.Session) -> None:
    attacks = [item for item in map(of_item, session.items) if item]
    ids = [item.id for item in attacks]
    if len(ids) != len(set(ids)):
        raise pytest.UsageError(f"attacks: ids given twice: {sorted({one for one in ids if ids.count(one) > 1})}")
    whole = session.config.option.long and not (session.config.option.keyword or session.config.option.markexpr)
    if (
        whole
        and session.config.args
        and all("::" not in name and name.rstrip("/").endswith("attack") for name in session.config.args)
        and len({item.counts_as for item in attacks}) < LEAST
    ):
        raise pytest.UsageError(
            f"attacks: {len({item.counts_as for item in attacks})} collected, wanted at least {LEAST}"
        )


@pytest.fixture(scope="session")
def target(register: Register, runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The environment under attack."""
    STATE["env"] = register.environment.id
    target = Target(register, runtime, tmp_path_factory.mktemp("attack"))
    yield target
    target.clean()


@pytest.fixture(autouse=True)
def tries(request: pytest.FixtureRequest) -> Tries:
    """What the attack of a test tried."""
    started = float(STATE.setdefault("started", time.monotonic()))
    if time.monotonic() - started > LONGEST:
        raise Untried(f"the run's {LONGEST:.0f} s are over")
    request.node.tries = Tries()
    return request.node.tries


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    yield
    attack = of_item(item)
    if attack is None or call.when == "teardown" or (call.when == "setup" and call.excinfo is None):
        return
    tries = getattr(item, "tries", None) or Tries()
    result, evidence = results.HELD, ""
    if call.excinfo is not None:
        fell = call.when == "call" and isinstance(call.excinfo.value, AssertionError)
        result = results.FELL if fell else results.UNTRIED
        evidence = " ".join(f"{call.excinfo.typename}: {call.excinfo.value}".split())
    ROWS.append(
        results.Row(
            attack.id,
            attack.area,
            attack.text,
            result,
            tries.tried,
            tries.held,
            len(tries.evidence),
            round(call.duration, 2),
            attack.counts_as,
            evidence[:1500],
        )
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    terminalreporter.section("attacks")
    for line in results.table(ROWS):
        terminalreporter.write_line(line)
    if env := STATE.get("env"):
        terminalreporter.write_line(f"written to {results.write(ROWS, str(env))}")

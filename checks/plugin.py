"""pytest plugin: gives the assertions their probes, ties each to its catalogue entry, turns outcomes into verdicts.

`python -m checks` runs it; `pytest checks --asp-env dev --tenant 16054` runs the same suite as plain pytest, with `-k`,
`--junitxml` and `--hosts`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from checks.catalogue import Catalogue, Check, Limit
from checks.catalogue import load as load_catalogue
from checks.hosts import subjects_of
from checks.recording import Document, Recording, View
from checks.verdicts import Outcome, Verdict, judge
from inventory.errors import Fault, RegisterError
from inventory.models import Municipality
from inventory.register import Register
from inventory.register import load as load_register

SUITES = Path(__file__).resolve().parent / "suites"
NO_STATION = "-"
Assertion = TypeVar("Assertion", bound=Callable[..., None])


def check(identifier: str) -> Callable[[Assertion], Assertion]:
    """Tie an assertion to its catalogue entry: one function, one promise."""

    def tie(function: Assertion) -> Assertion:
        function.check_id = identifier  # type: ignore[attr-defined]
        return function

    return tie


class Suite:
    """One run of all assertions for one tenant. `outcomes` holds what they came to, in catalogue order.

    `only`: ids of checks, `hosts`: names of subjects; none of either: all of them.
    """

    def __init__(
        self,
        register: Register,
        municipality: Municipality,
        catalogue: Catalogue,
        recording: Recording,
        only: Iterable[str] = (),
        now: datetime | None = None,
        hosts: Iterable[str] = (),
    ):
        self.register_ = register
        self.municipality_ = municipality
        self.catalogue = catalogue
        self.recording = recording
        self.only = frozenset(only)
        self.hosts = frozenset(hosts)
        self.now = now
        self.collected = 0
        self.faults: list[str] = []
        self._outcomes: list[Outcome] = []

    @property
    def outcomes(self) -> list[Outcome]:
        order = {identifier: index for index, identifier in enumerate(self.catalogue.checks)}
        return sorted(self._outcomes, key=lambda outcome: (order[outcome.check], outcome.subject))

    def subjects(self, tier: str) -> list[str]:
        """What the checks of a tier are about: the environment, the tenant, its office's workstations."""
        if tier == "workstation":
            office = self.register_.office_of(self.municipality_)
            return [station.name for station in office.workstations] or [NO_STATION]
        return [self.register_.environment.id if tier == "centre" else self.municipality_.ksh]

    @property
    def expected(self) -> set[tuple[str, str]]:
        """Every check on every subject, as (check id, subject)."""
        return {(entry.id, subject) for entry in self.catalogue for subject in self.subjects(entry.tier)}

    def selects(self, check: str, subject: str) -> bool:
        """Whether `only` and `hosts` leave this check in."""
        return (not self.only or check in self.only) and (not self.hosts or subject in self.hosts)

    def document(self, tier: str, subject: str) -> Document:
        """The probe of a subject. A host that no probe tells of is unreachable, never left out."""
        if tier == "centre":
            return self.recording.centre
        if tier == "tenant":
            return self.recording.tenant
        station = self.recording.workstations.get(subject)
        if station:
            return station
        reason = "az irodának nincs nyilvántartott munkaállomása" if subject == NO_STATION else "nem készült mérés"
        return Document(host=subject, taken=self.recording.centre.taken, unreachable=reason)

    # pytest's hooks and fixtures

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        tier = self._check_of(metafunc.definition).tier
        metafunc.parametrize("subject", self.subjects(tier), ids=str)

    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Function]) -> None:
        """Refuse a run whose assertions and catalogue disagree, then leave out what was not asked for."""
        counts = Counter(self._place_of(item) for item in items)
        expected = self.expected
        if _some_files(session):  # somebody gave files: their checks and no others
            tiers = {self.catalogue[check].tier for check, _ in counts}
            expected = {(check, subject) for check, subject in expected if self.catalogue[check].tier in tiers}
        twice = [f"{check} has more than one test" for (check, _), count in counts.items() if count > 1]
        without = [f"{check} has no test" for check, _ in sorted(expected - set(counts))]
        if _some_functions(session):
            without = []
        if not counts or twice or without:
            disagree = "; ".join(dict.fromkeys(twice + without)) or "no test at all"
            raise self._fault(f"catalogue.yaml and the test files disagree: {disagree}")
        self.collected = len(items)
        left_out = [item for item in items if not self.selects(*self._place_of(item))]
        if left_out:
            session.config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if self.selects(*self._place_of(item))]

    def pytest_report_collectionfinish(self, items: list[pytest.Function]) -> str:
        """The line that says how much of the catalogue runs."""
        tenant = f"{self.municipality_.name} ({self.municipality_.ksh})"
        return f"{tenant}: {len(items)} of {len(self.expected)} checks, {self.collected} collected"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            self._record(item, call.excinfo.value if call.excinfo else None, call.duration)
        return report

    @pytest.fixture
    def probe(self, request: pytest.FixtureRequest, subject: str) -> View:
        """The subject's probe, from which the assertion reads its evidence."""
        entry = self._check_of(request.node)
        view = View(self.document(entry.tier, subject), entry.span.total_seconds(), self.now)
        request.node.stash[_VIEW] = view
        return view

    @pytest.fixture
    def limit(self, request: pytest.FixtureRequest) -> Limit:
        """The check's threshold, from the SLA or the register."""
        threshold = self.catalogue.limit(self._check_of(request.node))
        if threshold is None:
            raise self._fault(f"{request.node.name} asks for a limit, its catalogue entry has no threshold")
        return threshold

    @pytest.fixture
    def register(self) -> Register:
        return self.register_

    @pytest.fixture
    def municipality(self) -> Municipality:
        return self.municipality_

    def _place_of(self, item: pytest.Function) -> tuple[str, str]:
        return self._check_of(item).id, str(item.callspec.params["subject"])

    def _check_of(self, item: pytest.Function) -> Check:
        identifier = getattr(item.function, "check_id", None)
        if identifier is None:
            raise self._fault(f"{item.nodeid} has no @check(...): every assertion belongs to a catalogue entry")
        if identifier not in self.catalogue.checks:
            raise self._fault(f"{item.nodeid}: catalogue.yaml has no {identifier!r}")
        return self.catalogue[identifier]

    def _fault(self, text: str) -> pytest.UsageError:
        self.faults.append(text)
        return pytest.UsageError(text)

    def _record(self, item: pytest.Function, error: BaseException | None, seconds: float) -> None:
        verdict, message = judge(error)
        entry, subject = self._check_of(item), str(item.callspec.params["subject"])
        view = item.stash.get(_VIEW, None)
        if verdict is Verdict.PASS and not (view and view.evidence):
            verdict, message = Verdict.NO_DATA, "az ellenőrzés semmit sem olvasott a mérésből"
        self._outcomes.append(
            Outcome(
                check=entry.id,
                subject=subject,
                verdict=verdict,
                message=message,
                evidence=list(dict.fromkeys(view.evidence)) if view else [],
                taken=self.document(entry.tier, subject).taken,
                measured=view.measured if view else None,
                seconds=seconds,
            )
        )


def _some_files(session: pytest.Session) -> bool:
    """Whether the command line names files of the suite instead of the folder that holds them all."""
    return all(argument.partition("::")[0].endswith(".py") for argument in session.config.args)


def _some_functions(session: pytest.Session) -> bool:
    return any("::" in argument for argument in session.config.args)


_VIEW = pytest.StashKey[View]()


class _Silent:
    """Keeps what pytest would have printed when it cannot even collect."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.tbstyle = "no"  # nobody reads a traceback; making 70 of them takes seconds

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.messages.append(str(report.longrepr))

    def pytest_warning_recorded(self, warning_message: Any) -> None:
        self.messages.append(str(warning_message.message))


# Our messages are the assertions' own: no rewriting, no tracebacks, and no plugin that a test environment brings along.
_BARE = ["--strict-markers", "--noconftest", "--disable-plugin-autoload", "--assert=plain"]
_LEFT_OUT = (
    *("terminal", "cacheprovider", "junitxml", "logging", "faulthandler", "doctest", "unittest", "capture"),
    "unraisableexception",  # collects garbage five times at the end, a third of the time of a run
)


def run(suite: Suite, folder: Path = SUITES) -> list[Outcome]:
    """Run all assertions of `folder` silently; RegisterError when catalogue and assertions disagree."""
    silent = _Silent()
    # Without pyproject.toml's options, which speak to the terminal reporter that is left out here.
    arguments = ["-c", os.devnull, "--rootdir", str(folder.parent), *_BARE, str(folder)]
    for name in _LEFT_OUT:
        arguments += ["-p", f"no:{name}"]
    code = pytest.main(arguments, plugins=[suite, silent])
    expected = sum(suite.selects(*place) for place in suite.expected)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or len(suite.outcomes) != expected:
        value = (
            "; ".join(dict.fromkeys(suite.faults + silent.messages))
            or f"exit code {int(code)}, {len(suite.outcomes)} of {expected} checks ran"
        )
        remedy = "Run pytest checks --asp-env <env> --tenant <ksh> to see it whole"
        raise RegisterError([Fault("checks/", "suite", suite.municipality_.ksh, value, remedy)])
    return suite.outcomes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of plain pytest."""
    group = parser.getgroup("asp", "readiness checks")
    group.addoption("--asp-env", default="dev", help="environment of the register")
    group.addoption("--tenant", help="KSH code of the municipality, such as 16054")
    group.addoption("--probes", help="judge a recorded probes.json instead of asking the hosts")


def pytest_configure(config: pytest.Config) -> None:
    """Plain pytest: make the suite from the options."""
    tenant = getattr(config.option, "tenant", None)
    if not tenant:
        raise pytest.UsageError("--tenant is missing: pytest checks --asp-env dev --tenant 16054")
    try:
        register = load_register(config.option.asp_env)
        municipality = register.municipality(tenant)
        hosts = subjects_of(getattr(config.option, "hosts", None), register, municipality)
        recording = _recording(config.option.probes, register, municipality)
        suite = Suite(register, municipality, load_catalogue(register), recording, hosts=hosts)
    except RegisterError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(suite, "asp-suite")


def _recording(file: str | None, register: Register, municipality: Municipality) -> Recording:
    if file:
        return Recording.read_tenant(Path(file), register.environment.id, municipality.ksh)
    from checks.probes import collect

    return collect(register, municipality)

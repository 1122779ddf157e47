"""pytest plugin: gives the assertions their probes, ties each to its catalogue entry, turns outcomes into verdicts.

`python -m checks` runs it; `pytest -p checks.plugin checks --asp-env dev --tenant 16054` runs the same suite bare.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

import pytest

from checks.catalogue import Catalogue, Check, Limit
from checks.catalogue import load as load_catalogue
from checks.recording import Document, Recording, View
from checks.verdicts import Outcome, Verdict, judge
from inventory.errors import RegisterError
from inventory.models import Municipality
from inventory.register import Register
from inventory.register import load as load_register

SUITES = Path(__file__).resolve().parent / "suites"
NO_STATION = "-"


def check(identifier: str) -> Callable[[Callable], Callable]:
    """Tie an assertion to its catalogue entry: one function, one promise."""

    def tie(function: Callable) -> Callable:
        function.check_id = identifier
        return function

    return tie


class Suite:
    """One run of all assertions for one tenant. `outcomes` holds what they came to, in catalogue order."""

    def __init__(
        self,
        register: Register,
        municipality: Municipality,
        catalogue: Catalogue,
        recording: Recording,
        only: Iterable[str] = (),
        now: datetime | None = None,
    ):
        self.register_ = register
        self.municipality_ = municipality
        self.catalogue = catalogue
        self.recording = recording
        self.only = frozenset(only)
        self.now = now
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

    def document(self, tier: str, subject: str) -> Document:
        """The probe of a subject. A host that no probe tells of is unreachable, never left out."""
        if tier == "centre":
            return self.recording.centre
        if tier == "tenant":
            return self.recording.tenant
        found = self.recording.workstations.get(subject)
        if found:
            return found
        seen = "az irodának nincs nyilvántartott munkaállomása" if subject == NO_STATION else "nem készült mérés"
        return Document(host=subject, taken=self.recording.centre.taken, unreachable=seen)

    # pytest's hooks and fixtures

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        tier = self._check_of(metafunc.definition).tier
        metafunc.parametrize("subject", self.subjects(tier), ids=str)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        found = Counter((self._check_of(item).id, item.callspec.params["subject"]) for item in items)
        wanted = {(entry.id, subject) for entry in self.catalogue for subject in self.subjects(entry.tier)}
        twice = [f"{name} has more than one test" for (name, _), count in found.items() if count > 1]
        without = [f"{name} has no test" for name, _ in sorted(wanted - set(found))]
        if twice or without:
            raise self._fault("catalogue.yaml and the test files disagree: " + "; ".join(twice + without))
        if self.only:
            items[:] = [item for item in items if self._check_of(item).id in self.only]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo):
        report = yield
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            self._record(item, call.excinfo.value if call.excinfo else None)
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
        found = self.catalogue.limit(self._check_of(request.node))
        if found is None:
            raise self._fault(f"{request.node.name} asks for a limit, its catalogue entry has no threshold")
        return found

    @pytest.fixture(scope="session")
    def register(self) -> Register:
        return self.register_

    @pytest.fixture(scope="session")
    def municipality(self) -> Municipality:
        return self.municipality_

    def _check_of(self, item: pytest.Item) -> Check:
        identifier = getattr(item.function, "check_id", None)
        if identifier is None:
            raise self._fault(f"{item.nodeid} has no @check(...): every assertion belongs to a catalogue entry")
        if identifier not in self.catalogue.checks:
            raise self._fault(f"{item.nodeid}: catalogue.yaml has no {identifier!r}")
        return self.catalogue[identifier]

    def _fault(self, text: str) -> pytest.UsageError:
        self.faults.append(text)
        return pytest.UsageError(text)

    def _record(self, item: pytest.Item, error: BaseException | None) -> None:
        verdict, message = judge(error)
        entry, subject = self._check_of(item), item.callspec.params["subject"]
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
            )
        )


_VIEW = pytest.StashKey[View]()


class _Silent:
    """Keeps what pytest would have said when it cannot even collect."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.said.append(str(report.longrepr))

    def pytest_warning_recorded(self, warning_message) -> None:
        self.said.append(str(warning_message.message))


def run(suite: Suite, folder: Path = SUITES) -> list[Outcome]:
    """Run all assertions of `folder` silently; RegisterError when catalogue and assertions disagree."""
    from inventory.errors import Fault

    silent = _Silent()
    # Without pyproject.toml's options, which speak to the terminal reporter that is left out here.
    arguments = ["-c", os.devnull, "--rootdir", str(folder.parent), "--strict-markers", str(folder)]
    for left_out in ("terminal", "cacheprovider", "junitxml", "logging"):
        arguments += ["-p", f"no:{left_out}"]
    code = pytest.main(arguments, plugins=[suite, silent])
    wanted = sum(
        len(suite.subjects(entry.tier)) for entry in suite.catalogue if not suite.only or entry.id in suite.only
    )
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or len(suite.outcomes) != wanted:
        seen = (
            "; ".join(dict.fromkeys(suite.faults + silent.said))
            or f"exit code {int(code)}, {len(suite.outcomes)} of {wanted} checks ran"
        )
        remedy = "Run pytest -p checks.plugin checks --asp-env <env> --tenant <ksh> to see it whole"
        raise RegisterError([Fault("checks/", "suite", suite.municipality_.ksh, seen, remedy)])
    return suite.outcomes


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asp", "readiness checks")
    group.addoption("--asp-env", default="dev", help="environment of the register")
    group.addoption("--tenant", help="KSH code of the municipality")
    group.addoption("--probes", help="judge a recorded probes.json instead of asking the hosts")


def pytest_configure(config: pytest.Config) -> None:
    """Bare pytest: make the suite from the options."""
    if not config.option.tenant:
        raise pytest.UsageError("--tenant is missing: give a KSH code, such as --tenant 16054")
    try:
        register = load_register(config.option.asp_env)
        municipality = register.municipality(config.option.tenant)
        catalogue = load_catalogue(register)
        if config.option.probes:
            recording = Recording.read(Path(config.option.probes))
        else:
            from checks.probes import collect

            recording = collect(register, municipality)
    except RegisterError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Suite(register, municipality, catalogue, recording), "asp-suite")

"""What break-and-mend tests do to a deployed environment, and how they look at it: with the operator's own suite."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks import catalogue as catalogues
from checks.plugin import Suite, run
from checks.probes import collect
from checks.verdicts import Outcome
from inventory import paths
from inventory.models import Municipality
from inventory.register import Register

KSH = "16054"
MINUTES = 6


@dataclass(frozen=True)
class Examiner:
    """Runs all checks of one tenant, live."""

    register: Register
    municipality: Municipality

    def outcomes(self) -> dict[str, Outcome]:
        """Every check by its id; the tenant's office has one workstation, so ids are unique."""
        catalogue = catalogues.load(self.register)
        recording = collect(self.register, self.municipality)
        result = run(Suite(self.register, self.municipality, catalogue, recording))
        assert len({outcome.check for outcome in result}) == len(result) == len(catalogue)
        return {outcome.check: outcome for outcome in result}

    def turned(self) -> dict[str, str]:
        """Checks that are not PASS: id → "VERDICT message"."""
        return {name: f"{o.verdict} {o.message}" for name, o in self.outcomes().items() if o.verdict != "PASS"}


@pytest.fixture(scope="session")
def examiner(register) -> Examiner:
    municipality = register.municipality(KSH)
    assert len(register.office_of(municipality).workstations) == 1
    return Examiner(register, municipality)


@pytest.fixture(scope="session")
def mend(register):
    """Puts right what was broken, by the very steps of `make up`; `{"stack": …}` or `{"playbook": …}`."""

    def mend_it(way: dict[str, str]) -> None:
        env = register.environment.id
        if "stack" in way:
            arguments = ["--env", env, way["stack"], "up", "--yes", "--skip-preview", "--refresh"]
            command = [sys.executable, "-m", "centre", "stack", *arguments]
        else:
            program = Path(sys.executable).with_name("ansible-playbook")
            command = [str(program), f"playbooks/{way['playbook']}.yml", "-e", "municipality=all"]
        environment = {**os.environ, "ASP_ENV": env, "ANSIBLE_NOCOLOR": "1"}
        process = subprocess.run(
            command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=60 * MINUTES
        )
        assert process.returncode == 0, (process.stdout + process.stderr)[-3000:]

    return mend_it

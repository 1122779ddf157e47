"""Break one thing, see exactly the checks concerned turn, mend it the operator's way, see them hold again."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from centre.edge.revocation import revoke
from centre.reach.psql import CellSql
from checks.probes.workstation import shell
from inventory.workstations import POLICY_FILES
from tests.support.long import of_family
from tests.support.polling import poll

BREAKS = yaml.safe_load(Path(__file__).with_name("breaks.yaml").read_text(encoding="utf-8"))


def stop_database(examiner, runtime):
    """Scale the cell's database to nothing, as a careless operator would."""
    name = runtime.register.cell(examiner.municipality.cell).postgres[0]
    (service,) = runtime.client.services.list(filters={"name": name})
    service.scale(0)
    label = {"label": f"com.docker.swarm.service.name={name}"}
    poll(
        lambda: runtime.client.containers.list(filters=label), lambda containers: not containers, 60, f"{name} to stop"
    )


def revoke_certificate(examiner, runtime):
    """Withdraw the clerk's certificate, as on a report of a lost card."""
    serial = _evidence(examiner, "workstation.certificate.not-revoked", "certificate › serial")
    revoke(examiner.register, int(serial, 16))


def change_policy(examiner, runtime):
    """Edit Chromium's policy on the workstation by hand."""
    path = POLICY_FILES["chromium"]
    (station,) = examiner.register.office_of(examiner.municipality).workstations
    policies = json.loads(shell(examiner.register, station, f"cat {path}"))
    assert policies["PopupsAllowedForUrls"]
    policies["PopupsAllowedForUrls"] = []
    shell(examiner.register, station, f"sudo -n tee {path}", json.dumps(policies))


def plant_grant(examiner, runtime):
    """Let another municipality's group connect: the first wall is down, `samerole` still stands."""
    cell = CellSql(runtime, examiner.municipality.cell)
    cell.script(f"GRANT CONNECT ON DATABASE {examiner.municipality.tenant} TO t14915;", role="postgres")


BREAKING = {
    "database-stopped": stop_database,
    "certificate-revoked": revoke_certificate,
    "policy-changed": change_policy,
    "foreign-grant-planted": plant_grant,
}


def _evidence(examiner, check, datum):
    return next(reading.value for reading in examiner.outcomes()[check].evidence if reading.datum == datum)


def _differing(actual, expected):
    """What did not turn as wanted: check → what it said, `None` for one that did not turn."""
    return {
        name: actual.get(name)
        for name in actual.keys() | expected.keys()
        if name not in expected or not _as_wanted(actual.get(name, ""), expected[name])
    }


def _as_wanted(message, entry):
    """Whether a check's verdict and words are the entry's; a verdict may be one of several, split by `|`."""
    return re.match(f"({entry['verdict']}) ", message) and re.search(entry["says"], message)


def test_every_break_is_declared():
    assert set(BREAKING) == set(BREAKS)
    assert all(entry["turns"] and entry["mend"] for entry in BREAKS.values())


@pytest.mark.parametrize("name", of_family(BREAKING, set(BREAKING) - {"policy-changed"}))
def test_a_break_turns_exactly_its_checks_and_is_mended(name, examiner, runtime, mend):
    expected = BREAKS[name]["turns"]
    poll(examiner.turned, lambda rest: not rest, 90, "all checks to pass before the break")
    BREAKING[name](examiner, runtime)
    try:
        what = f"{name}: exactly its checks to turn"
        poll(lambda: _differing(examiner.turned(), expected), lambda rest: not rest, 60, what)
        # Not a passing state: the next look says the same.
        assert _differing(examiner.turned(), expected) == {}
    finally:
        mend(BREAKS[name]["mend"])
    poll(examiner.turned, lambda rest: not rest, 120, f"{name}: all checks to pass again")

"""Playbooks join and leave on a deployed environment: truthful, idempotent, whole or not at all, completed after kills.

The subject is Bánhorváti, a member of a joint office; it is joined when the module ends.
"""

import json
import re

import pytest

from centre.database import reading
from centre.database.export import verify
from centre.edge.hosts import EdgePlanner
from centre.identity.clerks import IdentityPlanner
from centre.reach.keycloak import Keycloak
from centre.reach.psql import CellSql
from inventory import applied, paths
from inventory.vault import vault
from tests.live.roles.playbooks import run_until_killed
from tests.support.long import of_family
from tests.support.polling import PATIENCE

SUBJECT, NAME, NEIGHBOUR, UNREADY = "25159", "Bánhorváti", "16054", "29188"
WHOLE = {"database": True, "identity": True, "edge": True, "applied": "joined"}
GONE = {"database": False, "identity": False, "edge": False, "applied": None}
# Makes the step before the edge fail: an extra variable outranks the play's own.
BROKEN_BACKUP = {"tenant_backup_environment": "nowhere"}


@pytest.fixture(scope="module")
def state(register, runtime):
    """What there is of the subject (or another) at the centre."""

    def go(ksh=SUBJECT):
        municipality = register.municipality(ksh)
        databases = reading.shared(CellSql(runtime, municipality.cell)).databases
        secrets = vault.load(register)
        with Keycloak(runtime, secrets) as keycloak:
            to_remove = IdentityPlanner(register, secrets, keycloak).absent([municipality]).steps
        return {
            "database": municipality.tenant in databases,
            "identity": bool(to_remove),
            "edge": bool(EdgePlanner(register, runtime).status([municipality])[municipality.host]["ksh"]),
            "applied": applied.read(register.environment.id).get(ksh, {}).get("state"),
        }

    return go


@pytest.fixture(scope="module", autouse=True)
def joined_in_the_end(play):
    yield
    result = play("join", municipality=SUBJECT)
    assert result.code == 0, result.text


# Each test finds the subject as the one before left it, wherever that can be: a join and a leave take 20 s.
@pytest.fixture
def joined(play, state):
    if state() != WHOLE:
        result = play("join", municipality=SUBJECT)
        assert result.code == 0, result.text
        assert state() == WHOLE


@pytest.fixture
def absent(play, state):
    if state() != GONE:
        result = play("leave", municipality=SUBJECT, confirm=NAME)
        assert result.code == 0, result.text
        assert state() == GONE


REFUSED = {
    "unknown": ("join", {"municipality": "99999"}, "municipality = '99999': no such KSH code here. Known: 14784"),
    "unready": ("join", {"municipality": UNREADY}, "phase = 'preparation': Nagybarca does not join in this phase"),
    "live": ("leave", {"municipality": NEIGHBOUR, "confirm": "x"}, "Sajószentpéter is live and does not leave. Wanted"),
    "one-bad": ("join", {"municipality": [NEIGHBOUR, "99999"]}, "municipality = '99999': no such KSH code here"),
    "nobody": ("leave", {}, "wanted one 5-digit KSH code; seen: (none). Run it again with -e municipality=16054"),
    "nobody-named": ("join", {}, "no municipality is named. Run it again with -e municipality=16054"),
    "stranger": ("leave", {"municipality": "99999", "confirm": "x"}, "municipality = '99999': no such KSH code here"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_touched(play, case):
    name, variables, words = REFUSED[case]
    result = play(name, **variables)
    assert result.code != 0 and result.changed == 0 and words in " ".join(result.text.split()), result.text
    assert "Traceback" not in result.text


@pytest.mark.parametrize("confirm", [None, "Sajószentpéter", "banhorvati"])
def test_leave_needs_the_name(joined, play, state, confirm):
    variables = {} if confirm is None else {"confirm": confirm}
    result = play("leave", municipality=SUBJECT, **variables)
    words = " ".join(result.text.split())
    assert result.code != 0 and f"Wanted: -e confirm={NAME}; seen: {confirm or '(none)'}" in words
    assert f"database t{SUBJECT} with all its documents" in words and "banhorvati.asp.test" in words
    assert state() == WHOLE


def test_a_failing_step_leaves_a_whole_tenant_alone(joined, play, state):
    result = play("join", municipality=SUBJECT, **BROKEN_BACKUP)
    assert result.code != 0 and "nothing, all existed before" in " ".join(result.text.split())
    assert state() == WHOLE


def test_leave_exports_before_it_removes(joined, play, register, state):
    folder = paths.environment_dir(register.environment.id) / "exports"
    before = set(folder.glob("*"))
    result = play("leave", municipality=SUBJECT, confirm=NAME)
    assert result.code == 0 and state() == GONE, result.text
    (export,) = set(folder.glob(f"t{SUBJECT}-*")) - before
    assert verify(export) == [] and (export / f"t{SUBJECT}.dump").stat().st_size > 0
    assert str(export) in result.text and "phase: preparation" in result.text
    again = play("leave", municipality=SUBJECT, confirm=NAME)
    assert (again.code, again.changed) == (0, 0), again.text


def test_a_failing_step_is_taken_back(absent, play, state):
    result = play("join", municipality=f"{NEIGHBOUR},{SUBJECT}", **BROKEN_BACKUP)
    assert result.code != 0 and "no such environment" in result.text
    assert f"Taken back: {SUBJECT}. Remove the cause" in " ".join(result.text.split())
    assert state() == GONE
    assert state(NEIGHBOUR) == WHOLE, "a tenant that existed before was touched"


def test_a_killed_join_may_still_be_taken_back(absent, start, play, state):
    run_until_killed(start("join", municipality=SUBJECT), "tenant_identity : ")
    assert state()["database"] and not state()["edge"]
    result = play("join", municipality=SUBJECT, **BROKEN_BACKUP)
    assert result.code != 0 and f"Taken back: {SUBJECT}" in " ".join(result.text.split())
    assert state() == GONE


def test_check_then_join_then_no_change(absent, play, state, register):
    folder = paths.environment_dir(register.environment.id) / "evidence"
    before = set(folder.glob("*.json"))
    check = play("join", "--check", "--diff", municipality=SUBJECT)
    assert check.code == 0 and check.changed > 0, check.text
    assert f"t{SUBJECT}" in check.text and state() == GONE
    assert set(folder.glob("*.json")) == before
    first = play("join", municipality=SUBJECT)
    assert first.code == 0 and state() == WHOLE, first.text
    assert first.changed == check.changed, "check mode told another number of changes"
    (file,) = set(folder.glob("*-joined.json")) - before
    evidence = json.loads(file.read_text())
    assert evidence["municipalities"][SUBJECT]["name"] == NAME
    assert all(evidence["steps"][part] for part in ("database", "identity", "backup", "edge"))
    second = play("join", "--diff", municipality=SUBJECT)
    assert (second.code, second.changed) == (0, 0), second.text


def test_a_killed_leave_is_completed_by_the_next(joined, start, play, state):
    run_until_killed(start("leave", municipality=SUBJECT, confirm=NAME), "tenant_identity : ")
    result = play("leave", municipality=SUBJECT, confirm=NAME)
    assert result.code == 0, result.text
    assert state() == GONE


STEPS = ["Remember what is about", *(f"tenant_{part} : " for part in ("database", "identity", "backup", "edge"))]


@pytest.mark.parametrize("step", of_family(STEPS, ["tenant_database : "]))
def test_a_killed_join_is_completed_by_the_next(absent, start, play, state, step):
    wait = run_until_killed(start("join", municipality=SUBJECT), step)
    result = play("join", municipality=SUBJECT)
    assert result.code == 0, f"killed {wait:.2f} s after {step!r}:\n{result.text}"
    assert state() == WHOLE
    again = play("join", municipality=SUBJECT)
    assert (again.code, again.changed) == (0, 0), again.text


def test_two_joins_at_once_do_not_meet(absent, start, state):
    joins = [start("join", municipality=SUBJECT) for _ in range(2)]
    texts = [process.communicate(timeout=480 * PATIENCE)[0] for process in joins]
    assert [process.returncode for process in joins] == [0, 0], "\n".join(texts)
    changed = sorted(int(re.search(r"changed=(\d+)", text)[1]) for text in texts)
    assert changed[0] == 0 < changed[1], "both joins made the same tenant"
    assert state() == WHOLE

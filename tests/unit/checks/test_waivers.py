"""Waivers accept a broken promise until a date; an expired or foreign one accepts nothing."""

from __future__ import annotations

from datetime import date

import pytest

from checks import waivers
from checks.verdicts import Outcome, Verdict
from inventory.errors import RegisterError
from tests.unit.checks import support

TODAY = date(2026, 11, 23)
CHECK = "workstation.policy.firefox"


def outcome(verdict=Verdict.FAIL, subject=support.STATION):
    return Outcome(CHECK, subject, verdict, "eltér")


def waiver(expires, subject=None):
    return waivers.Waiver(check=CHECK, subject=subject, reason="új böngésző beszerzése folyik", expires=expires)


def applied(result, *entries):
    waivers.apply([result], list(entries), TODAY)
    return result


def test_a_waiver_accepts_through_its_last_day():
    result = applied(outcome(), waiver(TODAY))
    assert result.verdict is Verdict.WAIVED
    assert result.accepted
    assert result.waiver == "új böngésző beszerzése folyik (felmentés 2026-11-23 napjáig)"


def test_an_expired_waiver_fails_and_is_named():
    result = applied(outcome(), waiver(date(2026, 11, 22)))
    assert result.verdict is Verdict.FAIL
    assert result.message == "eltér (felmentése 2026-11-22 napján lejárt)"


def test_the_latest_waiver_counts():
    assert applied(outcome(), waiver(date(2026, 11, 22)), waiver(date(2026, 12, 1))).verdict is Verdict.WAIVED


@pytest.mark.parametrize("verdict", [Verdict.UNREACHABLE, Verdict.NO_DATA, Verdict.PASS])
def test_only_a_seen_fault_can_be_waived(verdict):
    assert applied(outcome(verdict), waiver(TODAY)).verdict is verdict


def test_a_waiver_of_another_subject_does_not_count():
    assert applied(outcome(), waiver(TODAY, "malyinka-1")).verdict is Verdict.FAIL
    assert applied(outcome(), waiver(TODAY, support.STATION)).verdict is Verdict.WAIVED


def load(tmp_path, content):
    path = tmp_path / "waivers.yaml"
    path.write_text(content, encoding="utf-8")
    return waivers.load(path, support.catalogue())


def test_a_file_is_read(tmp_path):
    entry = f"- {{check: {CHECK}, reason: beszerzés folyamatban, expires: 2026-12-01}}"
    assert load(tmp_path, entry)[0].expires == date(2026, 12, 1)


def test_no_file_means_no_waivers(tmp_path):
    assert waivers.load(tmp_path / "waivers.yaml", support.catalogue()) == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{check: centre.moon.full, reason: beszerzés folyamatban, expires: 2026-12-01}", "no such check"),
        (f"{{check: {CHECK}, reason: beszerzés folyamatban}}", r"\[0\]\.expires = None: Field required"),
        (f"{{check: {CHECK}, reason: csak, expires: 2026-12-01}}", r"\[0\]\.reason = 'csak'.*at least 10"),
        (f"{{check: {CHECK}, reason: beszerzés folyamatban, expires: soha}}", r"\[0\]\.expires = 'soha'"),
        ("5", r"\[0\]"),
    ],
)
def test_a_faulty_waiver_is_refused(tmp_path, entry, says):
    with pytest.raises(RegisterError, match=says):
        load(tmp_path, f"- {entry}")

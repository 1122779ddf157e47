"""The report says what the verdicts say, to mayor, auditor and machine; nothing that was probed can act in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from checks.recording import Recording
from checks.report import document as reports
from checks.verdicts import Outcome, Reading, Verdict
from tests.unit.checks import support

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x07"


def outcomes(**changed: Verdict) -> list[Outcome]:
    """One outcome a check, all PASS but for the check whose id (dots and dashes as underscores) is given."""
    found = []
    for entry in support.catalogue():
        subject = {"centre": "dev", "tenant": "16054", "workstation": support.STATION}[entry.tier]
        verdict = changed.get(re.sub(r"\W", "_", entry.id), Verdict.PASS)
        message = "" if verdict is Verdict.PASS else f"baj: {entry.id}"
        evidence = [Reading("mérés", "érték")]
        found.append(Outcome(entry.id, subject, verdict, message, evidence, support.TAKEN))
    return found


def build(found, partial=False):
    register = support.register()
    return reports.build(
        register, register.municipality("16054"), support.catalogue(), found, support.TAKEN, 12.34, partial
    )


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def test_all_pass_is_ready():
    report = build(outcomes())
    assert report["ready"]
    assert report["counts"] == {"PASS": 70, "FAIL": 0, "UNREACHABLE": 0, "NO-DATA": 0, "WAIVED": 0}
    assert {question["answer"] for question in report["questions"]} == {"yes"}
    assert report["valid_until"] == "2026-11-23T10:15:00+00:00"


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNREACHABLE, Verdict.NO_DATA])
def test_one_mandatory_check_blocks(verdict):
    report = build(outcomes(centre_backup_age=verdict))
    assert not report["ready"]
    assert report["blocking"] == ["centre.backup.age (dev)"]
    answers = {question["text"]: question["answer"] for question in report["questions"]}
    assert answers["Megmaradnak-e az adataink, ha baj történik?"] == ("no" if verdict is Verdict.FAIL else "unknown")
    assert set(answers.values()) == {"yes", answers["Megmaradnak-e az adataink, ha baj történik?"]}


def test_a_waived_and_an_optional_one_do_not_block():
    report = build(outcomes(centre_backup_age=Verdict.WAIVED, centre_edge_redirect=Verdict.FAIL))
    assert report["ready"]
    page = Page(reports.html(report)).words
    assert "KÉSZ" in page and "NEM KÉSZ" not in page
    assert "baj: centre.edge.redirect" in page


def test_a_part_of_the_checks_never_says_ready():
    report = build(outcomes()[:3], partial=True)
    assert not report["ready"]
    assert "RÉSZLEGES" in Page(reports.html(report)).words


def test_no_checks_at_all_is_not_ready():
    assert not build([])["ready"]


def test_the_page_tells_the_mayor_and_shows_the_auditor_every_check():
    page = Page(reports.html(build(outcomes(tenant_edge_route=Verdict.FAIL)))).words
    assert "NEM KÉSZ" in page
    assert "1 kötelező ellenőrzés nincs rendben" in page
    for entry in support.catalogue():
        clause = support.register().sla[entry.clause]
        for told in (entry.id, entry.title, entry.source, f"docs/runbooks/{entry.runbook}", clause.title):
            assert " ".join(told.split()) in page, told
    assert page.count("feltételezett") > 10 and page.count("szerződéses") > 10
    assert "99,5 %" in page


def test_the_page_is_whole_and_needs_nothing_from_outside():
    text = reports.html(build(outcomes()))
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    links = [value for name, value in page.attributes if name in ("href", "src", "action")]
    assert links and all(link.startswith("#") for link in links)
    assert not re.search(r"url\(|@import|https?://", text)
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert ("lang", "hu") in page.attributes


def test_hostile_text_is_shown_and_does_nothing():
    found = outcomes(tenant_edge_route=Verdict.FAIL, tenant_edge_hsts=Verdict.NO_DATA)
    for outcome in found:
        outcome.subject = HOSTILE
        outcome.message = HOSTILE
        outcome.waiver = HOSTILE
        outcome.evidence = [Reading(HOSTILE, HOSTILE)]
    report = build(found)
    page = Page(reports.html(report))
    assert "script" not in page.tags and "img" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert "<script>alert(1)</script>" in page.words
    assert HOSTILE.replace("\x07", "\ufffd") in [
        case.get("message") for case in ElementTree.fromstring(reports.junit(report)).iter("failure")
    ]


def test_junit_keeps_the_five_verdicts_apart():
    report = build(
        outcomes(
            centre_backup_age=Verdict.FAIL,
            centre_archive_lag=Verdict.UNREACHABLE,
            tenant_edge_hsts=Verdict.NO_DATA,
            workstation_clock_skew=Verdict.WAIVED,
        )
    )
    root = ElementTree.fromstring(reports.junit(report))
    totals = {key: sum(int(suite.get(key)) for suite in root) for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": 70, "failures": 1, "errors": 2, "skipped": 1}
    assert {error.get("type") for error in root.iter("error")} == {"UNREACHABLE", "NO-DATA"}


def test_files_are_written_whole_and_history_grows(tmp_path):
    recording = Recording.model_validate(support.good()).model_dump_json()
    for _ in range(2):
        written = reports.write(build(outcomes()), recording, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.jsonl", "junit.xml", "probes.json", "report.html", "report.json",
    ]  # fmt: skip
    assert {path.name for path in written} == {"report.json", "junit.xml", "probes.json", "report.html"}
    assert json.loads((tmp_path / "report.json").read_text())["ready"] is True
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0]["verdicts"]["centre.backup.age@dev"] == "PASS"


def test_no_page_when_none_is_wanted(tmp_path):
    reports.write(build(outcomes()), "{}", tmp_path, with_html=False)
    assert not (tmp_path / "report.html").exists()

"""The report says what the verdicts say, to mayor, auditor and machine; nothing that was probed can act in it."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from checks.recording import Recording
from checks.report import files, schema
from checks.report.document import Run
from checks.report.document import build as build_report
from checks.report.junit import junit
from checks.report.page import html
from checks.verdicts import Measured, Outcome, Reading, Verdict
from inventory.errors import RegisterError
from systems.shared.version import version
from tests.unit.checks import support

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x07"


def outcomes(**changed: Verdict) -> list[Outcome]:
    """One outcome a check, all PASS but for the check whose id (dots and dashes as underscores) is given."""
    results = []
    for entry in support.catalogue():
        subject = {"centre": "dev", "tenant": "16054", "workstation": support.STATION}[entry.tier]
        verdict = changed.get(re.sub(r"\W", "_", entry.id), Verdict.PASS)
        message = "" if verdict is Verdict.PASS else f"baj: {entry.id}"
        evidence = [Reading("mérés", "érték")]
        measured = Measured("7 nap", 7, "days")
        results.append(Outcome(entry.id, subject, verdict, message, evidence, support.TAKEN, "", measured, 0.25))
    return results


def build(results, scope="whole", source="live"):
    register = support.register()
    recording = Recording.model_validate(support.good())
    how = Run(as_of=support.TAKEN, seconds=12.34, scope=scope, source=source)
    return build_report(register, register.municipality("16054"), support.catalogue(), results, recording, how)


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
    assert report.ready
    assert report.counts == {"PASS": 77, "FAIL": 0, "UNREACHABLE": 0, "NO-DATA": 0, "WAIVED": 0}
    assert {question.answer for question in report.questions} == {"yes"}
    assert report.valid_until == "2026-11-23T10:15:00+00:00"


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNREACHABLE, Verdict.NO_DATA])
def test_one_mandatory_check_blocks(verdict):
    report = build(outcomes(centre_backup_age=verdict))
    assert not report.ready
    assert report.blocking == ["centre.backup.age (dev)"]
    answers = {question.text: question.answer for question in report.questions}
    assert answers["Megmaradnak-e az adataink, ha baj történik?"] == ("no" if verdict is Verdict.FAIL else "unknown")
    assert set(answers.values()) == {"yes", answers["Megmaradnak-e az adataink, ha baj történik?"]}


def test_a_waived_and_an_optional_one_do_not_block():
    report = build(outcomes(centre_backup_age=Verdict.WAIVED, centre_edge_redirect=Verdict.FAIL))
    assert report.ready
    page = Page(html(report)).words
    assert "KÉSZ" in page and "NEM KÉSZ" not in page
    assert "baj: centre.edge.redirect" in page


def test_a_part_of_the_checks_never_says_ready():
    report = build(outcomes()[:3], scope="partial")
    assert not report.ready
    assert "RÉSZLEGES" in Page(html(report)).words


def test_no_checks_at_all_is_not_ready():
    assert not build([]).ready


def test_the_page_tells_the_mayor_and_shows_the_auditor_every_check():
    page = Page(html(build(outcomes(tenant_edge_route=Verdict.FAIL)))).words
    assert "NEM KÉSZ" in page
    assert "1 kötelező ellenőrzés nincs rendben" in page
    for entry in support.catalogue():
        clause = support.register().sla[entry.clause]
        for text in (entry.id, entry.title, entry.source, f"docs/runbooks/{entry.runbook}", clause.title):
            assert " ".join(text.split()) in page, text
    assert page.count("feltételezett") > 10 and page.count("előírt") > 10
    assert "99,5 %" in page


def test_the_page_is_whole_and_needs_nothing_from_outside():
    text = html(build(outcomes()))
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
    results = outcomes(tenant_edge_route=Verdict.FAIL, tenant_edge_hsts=Verdict.NO_DATA)
    for outcome in results:
        outcome.subject = HOSTILE
        outcome.message = HOSTILE
        outcome.waiver = HOSTILE
        outcome.evidence = [Reading(HOSTILE, HOSTILE)]
    report = build(results)
    page = Page(html(report))
    assert "script" not in page.tags and "img" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert "<script>alert(1)</script>" in page.words
    assert HOSTILE.replace("\x07", "\ufffd") in [
        case.get("message") for case in ElementTree.fromstring(junit(report)).iter("failure")
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
    root = ElementTree.fromstring(junit(report))
    totals = {key: sum(int(suite.get(key)) for suite in root) for key in ("tests", "failures", "errors", "skipped")}
    assert totals == {"tests": 77, "failures": 1, "errors": 2, "skipped": 1}
    assert {error.get("type") for error in root.iter("error")} == {"UNREACHABLE", "NO-DATA"}


def test_junit_says_what_was_judged_and_why_it_failed():
    report = build(outcomes(centre_backup_age=Verdict.FAIL), source="recording")
    root = ElementTree.fromstring(junit(report))
    for suite in root:
        properties = {item.get("name"): item.get("value") for item in suite.find("properties")}
        assert properties["suite"] == version() and properties["environment"] == "dev"
        assert properties["taken"] == report.taken and properties["source"] == "recording"
        assert float(suite.get("time")) == pytest.approx(0.25 * int(suite.get("tests")))
    assert {case.get("time") for case in root.iter("testcase")} == {"0.2500"}
    (failure,) = root.iter("failure")
    assert failure.text.splitlines()[1:] == [
        "runbook: docs/runbooks/backup.md#no-recent-backup",
        "clause: backup-age",
        "measured: 7 nap",
        "threshold: legfeljebb 26 óra (sla.backup-age)",
        "evidence: mérés = érték",
    ]


def test_the_page_shows_what_was_measured_beside_its_threshold():
    page = Page(html(build(outcomes())))
    limited = [entry for entry in support.catalogue() if entry.threshold]
    start, end = page.words.index("Mért értékek és határértékek"), page.words.index("Összesítés területenként")
    table = page.words[start:end]
    assert table.count("7 nap Megfelelt") + table.count("7 nap ") >= len(limited) >= 11
    for entry in limited:
        assert entry.title in table and support.catalogue().limit(entry).text.replace("\u00a0", " ") in table
    assert "legfeljebb 26 óra" in table and "legalább 14 nap" in table


def test_evidence_folds_away_where_a_promise_holds():
    page = Page(html(build(outcomes(tenant_edge_route=Verdict.FAIL, centre_backup_age=Verdict.WAIVED))))
    assert page.tags.count("details") == page.tags.count("summary") == 77
    assert [name for name, _ in page.attributes].count("open") == 1
    assert page.words.index("Röviden") < page.words.index("Mért értékek") < page.words.index("Melléklet")


def test_the_report_says_who_judged_what():
    report = build(outcomes(), source="recording")
    page = Page(html(report)).words
    assert report.suite == version() and re.fullmatch(r"\d+\.\d+\.\d+", report.suite)
    assert report.probed_by == "0.1.0" and len(report.recording) == 64
    assert report.recording in page and report.suite in page and "Felvételből, eszerint megítélve" in page
    assert "Felvételből" not in Page(html(build(outcomes()))).words


def test_the_schema_in_the_file_is_the_models():
    current = schema.FILE.read_text(encoding="utf-8")
    assert current == schema.text(), "schema.json is out of date: run python -m checks.report.schema"


def test_a_report_keeps_to_its_schema():
    schema_keys = json.loads(schema.FILE.read_text(encoding="utf-8"))
    report = json.loads(build(outcomes(tenant_edge_route=Verdict.FAIL)).text())
    assert faults(report, schema_keys, schema_keys) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 1}, "schema: 1"),
        ({"ready": "yes"}, "ready: 'yes'"),
        ({"colour": "red"}, "colour: unknown"),
        ({"checks": [{}]}, "checks.0.id: missing"),
        ({"scope": "half"}, "scope: 'half'"),
        ({"valid_until": 5}, "valid_until: 5"),
        ({"counts": {"PASS": "many"}}, "counts.PASS: 'many'"),
    ],
)
def test_the_schema_refuses_what_is_not_one(change, says):
    schema_keys = json.loads(schema.FILE.read_text(encoding="utf-8"))
    assert says in faults(json.loads(build(outcomes()).text()) | change, schema_keys, schema_keys)


KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
         "null": type(None)}  # fmt: skip


def faults(value, part, whole, place=""):
    """Where a value does not keep to a JSON schema: the keywords that ours uses, and no others."""
    unknown = set(part) - {"$schema", "$defs", "$ref", "title", "description", "default", "type", "properties", "items",
                           "required", "additionalProperties", "anyOf", "enum", "const", "propertyNames"}  # fmt: skip
    assert not unknown, f"the test knows no {unknown}"
    if "$ref" in part:
        return faults(value, whole["$defs"][part["$ref"].removeprefix("#/$defs/")], whole, place)
    if "anyOf" in part:
        attempts = [faults(value, option, whole, place) for option in part["anyOf"]]
        return [] if [] in attempts else [f"{place}: {value!r}"]
    kind = part.get("type")
    wrong = kind and (not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"))
    if wrong or value not in part.get("enum", [value]) or value != part.get("const", value):
        return [f"{place}: {value!r}"]
    at = f"{place}." if place else ""
    if isinstance(value, list):
        return [fault for n, item in enumerate(value) for fault in faults(item, part["items"], whole, f"{at}{n}")]
    if not isinstance(value, dict):
        return []
    properties, others = part.get("properties", {}), part.get("additionalProperties", True)
    result = [f"{at}{name}: missing" for name in part.get("required", []) if name not in value]
    for name, item in value.items():
        inner = properties.get(name, others)
        result += [f"{at}{name}: unknown"] if inner is False else faults(item, inner, whole, f"{at}{name}")
    return result


def test_files_are_written_whole_and_history_grows(tmp_path):
    recording = Recording.model_validate(support.good()).text()
    for _ in range(2):
        created = files.write(build(outcomes()), recording, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.jsonl", "junit.xml", "probes.json", "report.html", "report.json",
    ]  # fmt: skip
    assert {path.name for path in created} == {"report.json", "junit.xml", "probes.json", "report.html"}
    assert json.loads((tmp_path / "report.json").read_text())["ready"] is True
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert lines[0]["verdicts"]["centre.backup.age@dev"] == "PASS"


def test_the_report_names_the_recording_beside_it(tmp_path):
    report = build(outcomes())
    files.write(report, Recording.model_validate(support.good()).text(), tmp_path)
    assert sha256((tmp_path / "probes.json").read_bytes()).hexdigest() == report.recording


def test_no_page_when_none_is_wanted(tmp_path):
    files.write(build(outcomes()), "{}", tmp_path, with_html=False)
    assert not (tmp_path / "report.html").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegisterError, match="cannot be written.*give --output another folder"):
        files.write(build(outcomes()), "{}", tmp_path / "file")

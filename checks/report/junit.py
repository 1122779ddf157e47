"""The report as JUnit XML, for CI."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from checks.report.document import TIERS
from checks.report.model import Check, Report
from checks.verdicts import Verdict


def junit(report: Report) -> str:
    """FAIL is a failure, UNREACHABLE and NO-DATA are errors, WAIVED is skipped with its reason.

    Properties say what was judged and when; a failure holds its evidence and where its runbook is.
    """
    root = ElementTree.Element("testsuites", name=f"readiness {report.municipality.ksh}", time=f"{report.seconds}")
    for tier in TIERS:
        _suite(root, report, tier, [item for item in report.checks if item.tier == tier])
    for element in root.iter():
        element.text = _xml_text(element.text) if element.text else None
        for name, value in element.attrib.items():
            element.set(name, _xml_text(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ElementTree.Element, report: Report, tier: str, items: Sequence[Check]) -> None:
    def count(*verdicts: Verdict) -> str:
        return str(sum(item.verdict in verdicts for item in items))

    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=tier,
        tests=str(len(items)),
        failures=count(Verdict.FAIL),
        errors=count(Verdict.UNREACHABLE, Verdict.NO_DATA),
        skipped=count(Verdict.WAIVED),
        timestamp=report.taken,
        time=f"{sum(item.seconds for item in items):.4f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for item in items:
        _case(suite, item)


def _properties(report: Report) -> dict[str, str]:
    return {
        "suite": report.suite,
        "environment": report.environment,
        "municipality": f"{report.municipality.ksh} {report.municipality.name}",
        "scope": report.scope,
        "source": report.source,
        "taken": report.taken,
        "as_of": report.as_of,
        "recording_sha256": report.recording,
        "ready": str(report.ready).lower(),
    }


def _case(suite: ElementTree.Element, item: Check) -> None:
    classname, seconds = f"{item.tier}.{item.subject}", f"{item.seconds:.4f}"
    case = ElementTree.SubElement(suite, "testcase", classname=classname, name=item.id, time=seconds)
    if item.verdict == Verdict.FAIL:
        ElementTree.SubElement(case, "failure", message=item.message).text = _details(item)
    elif item.verdict in (Verdict.UNREACHABLE, Verdict.NO_DATA):
        ElementTree.SubElement(case, "error", type=item.verdict, message=item.message).text = _details(item)
    elif item.verdict == Verdict.WAIVED:
        ElementTree.SubElement(case, "skipped", message=item.waiver)


def _details(item: Check) -> str:
    lines = [item.title, f"runbook: {item.runbook}", f"clause: {item.clause.id}"]
    if item.measured:
        lines.append(f"measured: {item.measured.shown}")
    if item.threshold:
        lines.append(f"threshold: {item.threshold.amount.shown} ({item.threshold.reference})")
    lines += [f"evidence: {reading.what} = {reading.value}" for reading in item.evidence]
    return "\n".join(lines)


def _xml_text(text: str) -> str:
    """Without the control characters that XML cannot carry (a probed host may send any)."""
    return "".join(char if char >= " " or char in "\t\n" else "\ufffd" for char in text)

"""The readiness report: one JSON truth, rendered for terminal, JUnit and a self-contained Hungarian page."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from checks.catalogue import Catalogue, Check, hungarian_unit
from checks.verdicts import Outcome, Verdict
from inventory.files import write_whole
from inventory.models import Municipality, Phase, SizeClass
from inventory.register import Register

SCHEMA = 1
SEEN = ("verdict", "subject", "message", "waiver")
TEMPLATES = Path(__file__).resolve().parent
TIERS = {"centre": "Központ", "tenant": "Önkormányzat", "workstation": "Munkaállomás"}
AREAS = {
    "services": "Szolgáltatások", "networks": "Hálózatok", "database": "Adatbázis", "archive": "Változásnapló",
    "backup": "Mentés", "pooler": "Kapcsolatgyűjtő", "identity": "Belépés", "pki": "Tanúsítványkiadó", "edge": "Kapu",
    "keret": "Keretrendszer", "systems": "Szakrendszerek",
    "irat": "Iratkezelő", "contract": "Szerződés", "hosts": "Névfeloldás",
    "tls": "Titkosítás",
    "clock": "Óra", "network": "Hálózat", "certificate": "Tanúsítvány", "policy": "Böngésző házirendje",
    "browser": "Böngésző", "foreign": "Elkülönítés",
}  # fmt: skip
# What a mayor asks, and the clauses that answer it. Every clause that a check cites must stand here (tested).
QUESTIONS = {
    "Működik-e a rendszer, és elég gyors-e?": ("availability", "response-p95"),
    "Csak mi látjuk-e az adatainkat?": ("isolation",),
    "Megmaradnak-e az adataink, ha baj történik?": ("rpo", "rto", "backup-age", "backup-verified", "archive-lag"),
    "Biztonságosan lépnek-e be az ügyintézők?": ("sign-in", "certificate-remaining", "clock-skew"),
    "Rendben vannak-e a szerződés iratai?": ("service-contract", "maintenance-notice"),
}
VERDICT_TEXT = {
    Verdict.PASS: "Megfelelt",
    Verdict.FAIL: "Nem felelt meg",
    Verdict.UNREACHABLE: "Nem érhető el",
    Verdict.NO_DATA: "Nincs adat",
    Verdict.WAIVED: "Felmentve",
}
PHASES = {Phase.PREPARATION: "előkészítés", Phase.CONNECTION: "csatlakozás", Phase.LIVE: "éles üzem"}
SIZES = {
    SizeClass.S: "kicsi (3000 fő alatt)",
    SizeClass.M: "közepes (3000–10 000 fő)",
    SizeClass.L: "nagy (10 000 fő felett)",
}


def build(
    register: Register,
    municipality: Municipality,
    catalogue: Catalogue,
    outcomes: list[Outcome],
    taken: datetime,
    seconds: float,
    partial: bool = False,
) -> dict:
    """The report as plain JSON data. `partial`: only some checks were asked for, so it cannot say ready."""
    checks = [_check(catalogue, catalogue[outcome.check], outcome, register) for outcome in outcomes]
    blocking = [item for item in checks if item["mandatory"] and not item["accepted"]]
    ready = bool(checks) and not blocking and not partial
    held = [item["valid_until"] for item in checks if item["valid_until"] and item["mandatory"]]
    return {
        "schema": SCHEMA,
        "environment": register.environment.id,
        "municipality": _municipality(register, municipality),
        "taken": taken.isoformat(timespec="seconds"),
        "valid_until": min(held) if held else None,
        "seconds": round(seconds, 1),
        "partial": partial,
        "ready": ready,
        "blocking": [f"{item['id']} ({item['subject']})" for item in blocking],
        "counts": _counts(checks),
        "questions": [_question(text, clauses, checks) for text, clauses in QUESTIONS.items()],
        "areas": _areas(checks),
        "todo": _todo(checks),
        "clauses": [clause.model_dump() | {"shown": _shown(clause)} for clause in register.sla.values()],
        "checks": checks,
    }


def _check(catalogue: Catalogue, check: Check, outcome: Outcome, register: Register) -> dict:
    limit = catalogue.limit(check)
    clause = register.sla[check.clause]
    until = (outcome.taken + check.span).isoformat(timespec="seconds") if outcome.taken else None
    return {
        "id": check.id,
        "title": check.title,
        "tier": check.tier,
        "area": check.area,
        "mandatory": check.mandatory,
        "clause": {"id": clause.id, "title": clause.title, "shown": _shown(clause), "status": clause.status,
                   "source": clause.source},
        "threshold": {"reference": limit.reference, "shown": limit.text} if limit else None,
        "source": check.source,
        "runbook": f"docs/runbooks/{check.runbook}",
        "valid_until": until,
        "accepted": outcome.accepted,
        **{key: value for key, value in outcome.as_dict().items() if key != "check"},
    }  # fmt: skip


def _municipality(register: Register, municipality: Municipality) -> dict:
    return {
        "ksh": municipality.ksh,
        "name": municipality.name,
        "county": municipality.settlement.county,
        "population": municipality.settlement.population,
        "size": SIZES[municipality.size_class],
        "office": register.office_of(municipality).name,
        "phase": PHASES[municipality.phase],
        "host": municipality.host,
        "contract": municipality.contract.model_dump(),
        "project": municipality.project,
    }


def _shown(clause) -> str:
    return f"{clause.value:g} {hungarian_unit(clause.unit)}".replace(".", ",")


def _counts(checks: list[dict]) -> dict[str, int]:
    counted = Counter(item["verdict"] for item in checks)
    return {verdict.value: counted[verdict.value] for verdict in Verdict}


def _question(text: str, clauses: tuple[str, ...], checks: list[dict]) -> dict:
    """A mayor's question with its answer: yes | no | unknown | unasked, and the promises that do not hold."""
    asked = [item for item in checks if item["clause"]["id"] in clauses]
    weigh = [item for item in asked if item["mandatory"]] or asked
    broken = [item for item in weigh if not item["accepted"]]
    if not asked:
        answer = "unasked"
    elif any(item["verdict"] == Verdict.FAIL for item in broken):
        answer = "no"
    else:
        answer = "unknown" if broken else "yes"
    return {
        "text": text,
        "answer": answer,
        "asked": len(asked),
        "held": sum(item["accepted"] for item in asked),
        "broken": list(dict.fromkeys(item["title"] for item in broken)),
        "assumed": any(item["clause"]["status"] == "assumed" for item in asked),
    }


def _areas(checks: list[dict]) -> list[dict]:
    found: dict[tuple[str, str], list[dict]] = {}
    for item in checks:
        found.setdefault((item["tier"], item["area"]), []).append(item)
    return [
        {"tier": TIERS[tier], "area": AREAS[area], "counts": _counts(items)} for (tier, area), items in found.items()
    ]


def _todo(checks: list[dict]) -> list[dict]:
    """What does not hold, grouped by what was seen: one cause often breaks many promises. Blocking ones first."""
    causes: dict[tuple, dict] = {}
    for item in checks:
        if item["verdict"] == Verdict.PASS:
            continue
        key = tuple(item[name] for name in SEEN)
        cause = causes.setdefault(key, {**dict(zip(SEEN, key, strict=True)), "checks": []})
        cause["checks"].append({name: item[name] for name in ("id", "title", "mandatory", "runbook")})
    blocking = [
        c for c in causes.values() if c["verdict"] != Verdict.WAIVED and any(i["mandatory"] for i in c["checks"])
    ]
    return blocking + [cause for cause in causes.values() if cause not in blocking]


def junit(report: dict) -> str:
    """JUnit XML: FAIL is a failure, UNREACHABLE and NO-DATA are errors, WAIVED is skipped with its reason."""
    root = ElementTree.Element("testsuites", name=f"readiness {report['municipality']['ksh']}")
    for tier in TIERS:
        items = [item for item in report["checks"] if item["tier"] == tier]
        counts = _counts(items)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=tier,
            tests=str(len(items)),
            failures=str(counts[Verdict.FAIL]),
            errors=str(counts[Verdict.UNREACHABLE] + counts[Verdict.NO_DATA]),
            skipped=str(counts[Verdict.WAIVED]),
            timestamp=report["taken"],
        )
        for item in items:
            case = ElementTree.SubElement(suite, "testcase", classname=f"{tier}.{item['subject']}", name=item["id"])
            if item["verdict"] == Verdict.FAIL:
                ElementTree.SubElement(case, "failure", message=item["message"])
            elif item["verdict"] in (Verdict.UNREACHABLE, Verdict.NO_DATA):
                ElementTree.SubElement(case, "error", type=item["verdict"], message=item["message"])
            elif item["verdict"] == Verdict.WAIVED:
                ElementTree.SubElement(case, "skipped", message=item["waiver"])
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _xml_text(value))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml_text(text: str) -> str:
    """Without the control characters that XML cannot carry (a probed host may send any)."""
    return "".join(char if char >= " " or char in "\t\n" else "\ufffd" for char in text)


def html(report: dict) -> str:
    """The page: no script, no external resource; everything that was probed is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"moment": _moment, "thousands": _thousands, "grouped": _grouped}
    texts = {verdict.value: text for verdict, text in VERDICT_TEXT.items()}
    return environment.get_template("report.html.j2").render(report=report, verdicts=texts, tiers=TIERS, areas=AREAS)


def _moment(text: str | None) -> str:
    """An ISO time as Hungarians write it, on Hungarian clocks (UTC where the machine has no time zone data)."""
    if not text:
        return "–"
    try:
        zone = ZoneInfo("Europe/Budapest")
    except ZoneInfoNotFoundError:
        zone = UTC
    return datetime.fromisoformat(text).astimezone(zone).strftime("%Y. %m. %d. %H:%M (%Z)")


def _thousands(number: int) -> str:
    """11253 → 11 253, with a space that does not break."""
    return f"{number:,}".replace(",", "\u00a0")


def _grouped(evidence: list[dict]) -> list[dict]:
    """Readings of one place on one line: services › edge: running 1, wanted 1."""
    places: dict[str, list[tuple[str, str]]] = {}
    for reading in evidence:
        place, _, name = reading["what"].rpartition(" › ")
        places.setdefault(place, []).append((name, reading["value"]))
    return [{"place": place, "readings": readings} for place, readings in places.items()]


def write(report: dict, recording: str, folder: Path, with_html: bool = True) -> list[Path]:
    """Write the report's files, each whole or not at all, and append a line to the history; the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "report.json": json.dumps(report, ensure_ascii=False, indent=1) + "\n",
        "junit.xml": junit(report),
        "probes.json": recording,
    }
    if with_html:
        files["report.html"] = html(report)
    for name, content in files.items():
        write_whole(folder / name, content, 0o644)
    line = {
        "taken": report["taken"],
        "ready": report["ready"],
        "partial": report["partial"],
        "seconds": report["seconds"],
        "verdicts": {f"{item['id']}@{item['subject']}": item["verdict"] for item in report["checks"]},
    }
    with (folder / "history.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    return [folder / name for name in files]

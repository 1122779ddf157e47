"""Building the readiness report from what the checks came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from checks.catalogue import Catalogue, Limit
from checks.recording import Recording
from checks.report import model
from checks.report.model import SCHEMA, Amount, Report
from checks.verdicts import Outcome, Verdict
from checks.wording import amount
from inventory.models import Clause, Municipality, Phase, SizeClass
from inventory.register import Register
from systems.shared.version import version

TIERS = {"centre": "Központ", "tenant": "Önkormányzat", "workstation": "Munkaállomás"}
AREAS = {
    "services": "Szolgáltatások", "containers": "Konténerek", "networks": "Hálózatok",
    "database": "Adatbázis", "archive": "Változásnapló",
    "backup": "Mentés", "pooler": "Kapcsolatgyűjtő", "identity": "Belépés", "pki": "Tanúsítványkiadó", "edge": "Kapu",
    "isolation": "Elkülönítés", "keret": "Keretrendszer", "systems": "Szakrendszerek",
    "irat": "Iratkezelő", "chain": "Üzenetek", "contract": "Szerződés", "hosts": "Névfeloldás",
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
PHASES = {Phase.PREPARATION: "előkészítés", Phase.CONNECTION: "csatlakozás", Phase.LIVE: "éles üzem"}
SIZES = {
    SizeClass.S: "kicsi (3000 fő alatt)",
    SizeClass.M: "közepes (3000–10 000 fő)",
    SizeClass.L: "nagy (10 000 fő felett)",
}


BOUNDS: dict[model.Bound, str] = {"at most": "legfeljebb", "at least": "legalább"}


@dataclass(frozen=True)
class Run:
    """How a report came to be. `as_of`: what lifetimes were held against; `seconds`: of the whole run."""

    as_of: datetime
    seconds: float
    scope: model.Scope = "whole"
    source: model.Source = "live"


def build(
    register: Register,
    municipality: Municipality,
    catalogue: Catalogue,
    outcomes: Sequence[Outcome],
    recording: Recording,
    run: Run,
) -> Report:
    """The report. One of a part of the checks never says ready."""
    checks = [_check(register, catalogue, outcome) for outcome in outcomes]
    blocking = [item for item in checks if item.mandatory and not item.accepted]
    ends = [item.valid_until for item in checks if item.valid_until and item.mandatory]
    return Report(
        schema=SCHEMA,
        suite=version(),
        probed_by=recording.suite,
        environment=register.environment.id,
        municipality=_subject(register, municipality),
        scope=run.scope,
        source=run.source,
        taken=_iso(recording.taken),
        as_of=_iso(run.as_of),
        valid_until=min(ends, key=datetime.fromisoformat) if ends else None,
        seconds=round(run.seconds, 1),
        recording=sha256(recording.text().encode()).hexdigest(),
        ready=bool(checks) and not blocking and run.scope == "whole",
        blocking=[f"{item.id} ({item.subject})" for item in blocking],
        counts=_counts(checks),
        questions=[_question(text, clauses, checks) for text, clauses in QUESTIONS.items()],
        areas=_areas(checks),
        todo=_todo(checks),
        clauses=[_clause(clause) for clause in register.sla.values()],
        checks=checks,
    )


def _check(register: Register, catalogue: Catalogue, outcome: Outcome) -> model.Check:
    entry = catalogue[outcome.check]
    measured, limit = outcome.measured, catalogue.limit(entry)
    return model.Check(
        id=entry.id,
        title=entry.title,
        tier=entry.tier,
        area=entry.area,
        subject=outcome.subject,
        mandatory=entry.mandatory,
        verdict=outcome.verdict,
        accepted=outcome.accepted,
        message=outcome.message,
        waiver=outcome.waiver,
        measured=Amount(measured.text, measured.value, measured.unit) if measured else None,
        threshold=_threshold(limit, entry.bound) if limit else None,
        clause=_clause(register.sla[entry.clause]),
        taken=_iso(outcome.taken) if outcome.taken else None,
        valid_until=_iso(outcome.taken + entry.span) if outcome.taken else None,
        seconds=round(outcome.seconds, 4),
        source=entry.source,
        runbook=f"docs/runbooks/{entry.runbook}",
        evidence=[model.Evidence(reading.datum, reading.value) for reading in outcome.evidence],
    )


def _threshold(limit: Limit, bound: model.Bound) -> model.Threshold:
    return model.Threshold(limit.reference, bound, Amount(f"{BOUNDS[bound]} {limit.text}", limit.value, limit.unit))


def _clause(clause: Clause) -> model.Clause:
    text = amount(clause.value, clause.unit)
    return model.Clause(clause.id, clause.title, Amount(text, clause.value, clause.unit), clause.status, clause.source)


def _subject(register: Register, municipality: Municipality) -> model.Subject:
    return model.Subject(
        ksh=municipality.ksh,
        name=municipality.name,
        county=municipality.settlement.county,
        population=municipality.settlement.population,
        size=SIZES[municipality.size_class],
        office=register.office_of(municipality).name,
        phase=PHASES[municipality.phase],
        host=municipality.host,
        contract=model.Contract(municipality.contract.number, municipality.contract.status),
        project=municipality.project,
    )


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _counts(checks: Sequence[model.Check]) -> dict[Verdict, int]:
    counted = Counter(item.verdict for item in checks)
    return {verdict: counted[verdict] for verdict in Verdict}


def _question(text: str, clauses: tuple[str, ...], checks: Sequence[model.Check]) -> model.Question:
    """A mayor's question with its answer, and the promises that do not hold."""
    relevant = [item for item in checks if item.clause.id in clauses]
    deciding = [item for item in relevant if item.mandatory] or relevant
    broken = [item for item in deciding if not item.accepted]
    answer: model.Answer = "unknown" if broken else "yes"
    if not relevant:
        answer = "unasked"
    elif any(item.verdict == Verdict.FAIL for item in broken):
        answer = "no"
    return model.Question(
        text=text,
        answer=answer,
        asked=len(relevant),
        held=sum(item.accepted for item in relevant),
        broken=list(dict.fromkeys(item.title for item in broken)),
        assumed=any(item.clause.status == "assumed" for item in relevant),
    )


def _areas(checks: Sequence[model.Check]) -> list[model.Area]:
    places: dict[tuple[str, str], list[model.Check]] = {}
    for item in checks:
        places.setdefault((item.tier, item.area), []).append(item)
    return [model.Area(TIERS[tier], AREAS[area], _counts(items)) for (tier, area), items in places.items()]


def _todo(checks: Sequence[model.Check]) -> list[model.Cause]:
    """What does not hold, grouped by what was seen: one cause often breaks many promises. Blocking ones first."""
    causes: dict[tuple[Verdict, str, str, str], model.Cause] = {}
    for item in checks:
        if item.verdict == Verdict.PASS:
            continue
        key = (item.verdict, item.subject, item.message, item.waiver)
        cause = causes.setdefault(key, model.Cause(*key, checks=[]))
        cause.checks.append(model.Affected(item.id, item.title, item.mandatory, item.runbook))
    return sorted(causes.values(), key=lambda cause: not _blocks(cause))


def _blocks(cause: model.Cause) -> bool:
    return cause.verdict != Verdict.WAIVED and any(item.mandatory for item in cause.checks)

"""Waivers: a broken promise that somebody accepted in writing until a date. Nothing else makes FAIL acceptable."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from checks.catalogue import Catalogue, CheckId
from checks.verdicts import Outcome, Verdict
from inventory import paths
from inventory.errors import Fault, RegisterError


class Waiver(BaseModel):
    """`check` is accepted broken through the day `expires`; on one subject (KSH code, workstation) or on all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    check: CheckId
    subject: str | None = None
    reason: str = Field(min_length=10)
    expires: date

    def covers(self, outcome: Outcome) -> bool:
        return self.check == outcome.check and self.subject in (None, outcome.subject)


def path_of(env: str) -> Path:
    return paths.ENVIRONMENTS / env / "waivers.yaml"


def load(path: Path, catalogue: Catalogue) -> list[Waiver]:
    """Waivers of an environment (none when there is no file); every fault found is in the RegisterError raised."""
    if not path.is_file():
        return []
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegisterError(
            [Fault(path.name, "(file)", str(error), "cannot be read as YAML", "Correct the file")]
        ) from error
    if not isinstance(entries, list):
        raise RegisterError([Fault(path.name, "(file)", entries, "wanted a list", "Start entries with '- '")])
    waivers: list[Waiver] = []
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        try:
            waiver = Waiver.model_validate(entry)
        except ValidationError as error:
            for item in error.errors():
                place = ".".join([f"[{index}]", *(str(part) for part in item["loc"])])
                value = None if item["type"] == "missing" else item.get("input")
                remedy = "A waiver has check, reason, expires and perhaps subject"
                faults.append(Fault(path.name, place, value, item["msg"], remedy))
            continue
        if waiver.check not in catalogue.checks:
            remedy = "See python -m checks --list"
            faults.append(Fault(path.name, f"[{index}].check", waiver.check, "no such check", remedy))
        waivers.append(waiver)
    if faults:
        raise RegisterError(faults)
    return waivers


def apply(outcomes: list[Outcome], waivers: list[Waiver], today: date) -> None:
    """Turn each covered FAIL into WAIVED; an expired waiver covers nothing, and the message says so.

    UNREACHABLE and NO-DATA cannot be waived: nobody can accept what nobody knows.
    """
    for outcome in outcomes:
        if outcome.verdict is not Verdict.FAIL:
            continue
        covering = [waiver for waiver in waivers if waiver.covers(outcome)]
        if not covering:
            continue
        waiver = max(covering, key=lambda each: each.expires)
        if waiver.expires < today:
            outcome.message += f" (felmentése {waiver.expires} napján lejárt)"
        else:
            outcome.verdict = Verdict.WAIVED
            outcome.waiver = f"{waiver.reason} (felmentés {waiver.expires} napjáig)"

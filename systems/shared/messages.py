"""Which system may send which message to which other, and what a message of each topic must hold.

The one place where this is written. It is enforced at sending, at the handler, and by the INSERT policy of schema
`chain` in each municipality's database (table `chain.allowed`). Only the standard library: the centre reads it too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

SYSTEMS = (
    "keret", "irat", "portal", "elugy", "gazd", "ivk", "ado", "iparker", "hagyatek", "adattar", "helpdesk", "training",
    "migration",
)  # fmt: skip
FEEDING = tuple(system for system in SYSTEMS if system not in ("adattar", "migration"))
IMPORTING = ("keret", "irat", "gazd", "ivk", "ado", "iparker", "hagyatek")
DECIDING = ("ado", "iparker", "hagyatek")  # they deal with citizens' cases
# Clerks change something there.
LOGGING = tuple(system for system in SYSTEMS if system not in ("adattar", "training", "elugy"))


class Allowed(NamedTuple):
    """A system may send messages of a topic to another, or to itself."""

    source: str
    target: str
    topic: str


def _between(sources: Iterable[str], targets: Iterable[str], topic: str) -> set[Allowed]:
    return {Allowed(source, target, topic) for source in sources for target in targets}


ALLOWED: frozenset[Allowed] = frozenset(
    _between(["elugy"], ["irat"], "submission")
    | _between(["irat"], DECIDING, "case")
    | _between(DECIDING, ["irat"], "decision")
    | _between(["irat", *DECIDING], ["elugy"], "status")
    | _between(FEEDING, ["adattar"], "feed")
    | _between(SYSTEMS, ["keret"], "signed-in")
    | _between(SYSTEMS, ["keret"], "present")
    | _between(LOGGING, ["keret"], "activity")
    | _between(["migration"], IMPORTING, "import-check")
    | _between(["migration"], IMPORTING, "import-apply")
    | _between(IMPORTING, ["migration"], "import-report")
    | _between(IMPORTING, ["migration"], "import-done")
)

# Topic → what its body must hold, whatever else it may hold.
FIELDS: dict[str, frozenset[str]] = {
    topic: frozenset(fields.split())
    for topic, fields in {
        "submission": "submission form title applicant data target submitted_at attachments",
        "case": "submission form number applicant data submitted_at",
        "decision": "submission number outcome text decided_by",
        "status": "submission status at",
        "feed": "day dataset rows count sha256",
        "signed-in": "username name roles at",
        "present": "username at",
        "activity": "username name action subject at",
        "import-check": "package files",
        "import-apply": "package files",
        "import-report": "package report",
        "import-done": "package report",
    }.items()
}


def refusal(source: str, target: str, topic: str, body: object) -> str | None:
    """Why a message may not be sent or handled, or None."""
    if (source, target, topic) not in ALLOWED:
        senders = ", ".join(sources(target, topic)) or "nobody"
        return f"{topic!r} of {source} to {target}: {senders} may send it there"
    if not isinstance(body, dict):
        return f"{topic!r} of {source} to {target}: its body is a {type(body).__name__}, must be an object"
    if missing := sorted(FIELDS[topic] - body.keys()):
        return f"{topic!r} of {source} to {target}: its body lacks {', '.join(missing)}"
    return None


def sources(target: str, topic: str) -> list[str]:
    """Systems that may send a topic to another, sorted; none when nobody may."""
    return sorted(source for source, to, what in ALLOWED if (to, what) == (target, topic))


def fingerprint() -> str:
    """Of what is allowed: it differs exactly when the table in the databases has to be written anew."""
    return hashlib.sha256(json.dumps(sorted(ALLOWED)).encode()).hexdigest()[:16]

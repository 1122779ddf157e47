"""Verbs over clerks' certificates."""

from __future__ import annotations

import argparse

from centre.verbs.cli.municipality import PLAYBOOK
from centre.verbs.cli.verb import Parsers, add

# Kept here, since the command line imports nothing; a test compares them with centre.edge.revocation_ledger.Reason.
REASONS = {
    "stolen": "computer or key lost, stolen or copied",
    "left": "the person left; closes the sign-in too",
    "replaced": "a new certificate takes its place, enrolment stays open",
    "closed": "the workstation or office is not used any more",
    "withdrawn": "the right to work here was withdrawn; closes the sign-in too",
}


def add_all(verbs: Parsers[argparse.ArgumentParser]) -> None:
    revoke = add(
        verbs,
        "revoke",
        "centre.verbs.plays:revoke",
        "revoke certificates of clerks, and see the edge refuse them",
        details="One certificate, or all of a clerk, a workstation or an office. Who, when and why is written into a "
        "signed ledger. After a revocation no new certificate is issued until --lift (except --reason replaced).",
        examples=[
            "revoke --clerk minta.iktato --reason left --check",
            "revoke --clerk minta.iktato --reason left --confirm minta.iktato",
            "revoke --seat sajoszentpeter-1 --reason stolen --note 'case 2026/114' --confirm sajoszentpeter-1",
            "revoke --seat sajoszentpeter-1 --lift --confirm sajoszentpeter-1",
            "revoke --list",
        ],
        passes=PLAYBOOK,
    )
    revoke.add_argument("--serial", metavar="NUMBER", help="one certificate: decimal, or hex as 0x0a1b or 0a:1b")
    revoke.add_argument("--clerk", metavar="USERNAME", help="all certificates of a clerk")
    revoke.add_argument("--seat", metavar="NAME", help="all certificates of a workstation")
    revoke.add_argument("--office", metavar="KSH", help="all certificates of the office that serves a municipality")
    words = "; ".join(f"{name}: {text}" for name, text in REASONS.items())
    revoke.add_argument("--reason", choices=list(REASONS), help=words)
    revoke.add_argument("--note", metavar="TEXT", help="a case number or a few words, without personal data")
    revoke.add_argument("--confirm", metavar="NAME", help="what is revoked, again; without it nothing is touched")
    revoke.add_argument("--lift", action="store_true", help="allow new certificates again; the old ones stay revoked")
    revoke.add_argument("--list", action="store_true", help="show the ledger")
    revoke.add_argument("--reapply", action="store_true", help="revoke again what step-ca's list lacks, as asp up does")

"""The receipt of a submitted form: what arrived, when, under which number, with which files."""

from __future__ import annotations

from systems.core.pdf import Pdf
from systems.elugy.models import Submission


def receipt(submission: Submission) -> Pdf:
    """The document; all of it is as of the submission, except the time of printing."""
    document = Pdf("Érkeztetési nyugta", submission.arrival_number)
    document.pairs(
        [
            ("Érkeztetési azonosító", submission.arrival_number),
            ("Érkezett", submission.submitted_at),
            ("Űrlap", f"{submission.title} ({submission.form}, {submission.version}. változat)"),
            ("Beküldő", submission.name),
            ("Adóazonosító jele", submission.identifier),
        ]
    )
    for step, answers in submission.definition.answers(submission.data):
        document.section(step.title).pairs((_title(question.label), text) for question, text in answers)
    if files := list(submission.attachments.defer("content")):
        document.section("Csatolmányok").table(
            ["Fájl", "Méret (bájt)", "Lenyomat (SHA-256)"], [[f.name, f.size, f.sha256] for f in files], (3, 1, 4)
        )
    return document


def _title(label: str) -> str:
    return label[:1].upper() + label[1:]

"""The certificate on paper."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from systems.core import facts
from systems.core.pdf import Pdf
from systems.training.exercises import EXERCISES, Exercise
from systems.training.models import Certificate, Pass


def with_system_names(exercises: Iterable[Exercise]) -> list[tuple[Exercise, str]]:
    """Exercises, each with the name of its system."""
    names = {entry.id: entry.name for entry in settings.ASP.catalogue}
    return [(exercise, names[exercise.system]) for exercise in exercises]


def certificate(record: Certificate) -> Pdf:
    """Who did which exercises, and when."""
    at = dict(Pass.objects.filter(username=record.username).values_list("exercise", "done_at"))
    exercises = with_system_names(exercise for exercise in EXERCISES if exercise.code in record.exercises)
    pdf = Pdf("Igazolás elvégzett gyakorlatokról", record.number)
    pdf.paragraph(f"{record.name} az önkormányzati ASP oktatási környezetében a következő gyakorlatokat elvégezte.")
    pdf.pairs([("Név", record.name), ("Oktatási környezet", facts.of_tenant().name), ("Kiállítva", record.issued_at)])
    pdf.table(["Rendszer", "Gyakorlat", "Elvégezve"], [(name, e.title, at[e.code]) for e, name in exercises], (3, 4, 2))
    return pdf.paragraph("Kitalált adatokon végzett gyakorlatokról szól; hatósági ügyben nem használható.")

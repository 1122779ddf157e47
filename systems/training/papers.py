"""The certificate on paper."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from systems.core import facts
from systems.core.pdf import Pdf
from systems.training.exercises import EXERCISES, Exercise
from systems.training.models import Certificate, Pass


def named(exercises: Iterable[Exercise]) -> list[tuple[Exercise, str]]:
    """Exercises, each with the name of its system."""
    names = {entry.id: entry.name for entry in settings.ASP.catalogue}
    return [(exercise, names[exercise.system]) for exercise in exercises]


def certificate(issued: Certificate) -> Pdf:
    """Who did which exercises, and when."""
    at = dict(Pass.objects.filter(username=issued.username).values_list("exercise", "done_at"))
    known = named(each for each in EXERCISES if each.code in issued.exercises)
    pdf = Pdf("Igazolás elvégzett gyakorlatokról", issued.number)
    pdf.paragraph(f"{issued.name} az önkormányzati ASP oktatási környezetében a következő gyakorlatokat elvégezte.")
    pdf.pairs([("Név", issued.name), ("Oktatási környezet", facts.of_tenant().name), ("Kiállítva", issued.issued_at)])
    pdf.table(["Rendszer", "Gyakorlat", "Elvégezve"], [(name, e.title, at[e.code]) for e, name in known], (3, 4, 2))
    return pdf.paragraph("Kitalált adatokon végzett gyakorlatokról szól; hatósági ügyben nem használható.")

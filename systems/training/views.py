"""The course of a clerk, one exercise, the certificate, and the trainer's overview."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from systems.core import facts
from systems.core.access import needs
from systems.training import course, papers
from systems.training.exercises import BY_CODE, EXERCISES, Exercise
from systems.training.models import Certificate, Pass

LEARNER, TRAINER = "tanulo", "oktato"


def _exercise_or_404(request: HttpRequest, code: str) -> Exercise:
    exercise = BY_CODE.get(code)
    if exercise not in course.of_clerk(request.clerk):
        raise Http404
    return exercise


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The clerk's own course; for a trainer without exercises an empty one with a link to the overview."""
    codes = course.passed_codes(request.clerk.username)
    rows = [
        (exercise, name, exercise.code in codes)
        for exercise, name in papers.with_system_names(course.of_clerk(request.clerk))
    ]
    context = {
        "rows": rows,
        "done_count": sum(is_done for _, _, is_done in rows),
        "certificates": Certificate.objects.filter(username=request.clerk.username),
    }
    return render(request, "training/index.html", context)


@needs(LEARNER)
@require_GET
def exercise(request: HttpRequest, code: str) -> HttpResponse:
    exercise = _exercise_or_404(request, code)
    dates = course.deeds(request.clerk.username, exercise) if facts.in_sandbox() else {}
    context = {
        "exercise": exercise,
        "entry": next(entry for entry in settings.ASP.catalogue if entry.id == exercise.system),
        "actions": [(action, dates.get(action)) for action in exercise.actions],
        "pass": Pass.objects.filter(username=request.clerk.username, exercise=code).first(),
    }
    return render(request, "training/exercise.html", context)


@needs(LEARNER)
@require_POST
def check(request: HttpRequest, code: str) -> HttpResponse:
    exercise = _exercise_or_404(request, code)
    if not facts.in_sandbox():
        messages.error(request, "Ez éles önkormányzat: gyakorolni csak az oktatási környezetben lehet.")
        return redirect("training:exercise", code=code)
    if missing := course.check(request.clerk, exercise):
        messages.error(
            request, f"Még hiányzik: {', '.join(missing)}. Ha most végezte el, fél perc múlva próbálja újra."
        )
    else:
        messages.success(request, "A gyakorlatot elvégezte.")
    return redirect("training:exercise", code=code)


@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """A certificate as PDF, for its owner and for trainers."""
    filters = {} if TRAINER in request.clerk.roles_in("training") else {"username": request.clerk.username}
    certificate = get_object_or_404(Certificate, pk=pk, **filters)
    return papers.certificate(certificate).response(f"oktatasi-igazolas-{certificate.pk}")


@needs(TRAINER)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Who has done what: everybody who has begun, by name."""
    clerks = {username: {"name": name, "codes": set()} for username, name in course.starters().items()}
    for record in Pass.objects.all():
        clerks.setdefault(record.username, {"name": record.name, "codes": set()})["codes"].add(record.exercise)
        clerks[record.username]["last"] = max(record.done_at, clerks[record.username].get("last", record.done_at))
    for certificate in Certificate.objects.order_by("issued_at"):
        clerks[certificate.username]["certificate"] = certificate
    rows = sorted(clerks.values(), key=lambda clerk: clerk["name"])
    for row in rows:
        row["titles"] = [exercise.title for exercise in EXERCISES if exercise.code in row["codes"]]
    return render(request, "training/overview.html", {"rows": rows})

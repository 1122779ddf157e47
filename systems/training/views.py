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


def _own(request: HttpRequest, code: str) -> Exercise:
    exercise = BY_CODE.get(code)
    if exercise not in course.of_clerk(request.clerk):
        raise Http404
    return exercise


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The clerk's own course; of a trainer who learns nothing, the empty one with the way to the overview."""
    passed = course.passed(request.clerk.username)
    rows = [(each, name, each.code in passed) for each, name in papers.named(course.of_clerk(request.clerk))]
    context = {
        "rows": rows,
        "done": sum(done for _, _, done in rows),
        "certificates": Certificate.objects.filter(username=request.clerk.username),
    }
    return render(request, "training/index.html", context)


@needs(LEARNER)
@require_GET
def exercise(request: HttpRequest, code: str) -> HttpResponse:
    shown = _own(request, code)
    seen = course.deeds(request.clerk.username, shown) if facts.in_sandbox() else {}
    context = {
        "exercise": shown,
        "entry": next(entry for entry in settings.ASP.catalogue if entry.id == shown.system),
        "actions": [(action, seen.get(action)) for action in shown.actions],
        "pass": Pass.objects.filter(username=request.clerk.username, exercise=code).first(),
    }
    return render(request, "training/exercise.html", context)


@needs(LEARNER)
@require_POST
def check(request: HttpRequest, code: str) -> HttpResponse:
    shown = _own(request, code)
    if not facts.in_sandbox():
        messages.error(request, "Ez éles önkormányzat: gyakorolni csak az oktatási környezetben lehet.")
        return redirect("training:exercise", code=code)
    if missing := course.check(request.clerk, shown):
        messages.error(
            request, f"Még hiányzik: {', '.join(missing)}. Ha most végezte el, fél perc múlva próbálja újra."
        )
    else:
        messages.success(request, "A gyakorlatot elvégezte.")
    return redirect("training:exercise", code=code)


@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """A certificate as PDF, for whom it was issued and for trainers."""
    own = {} if TRAINER in request.clerk.roles_in("training") else {"username": request.clerk.username}
    shown = get_object_or_404(Certificate, pk=pk, **own)
    return papers.certificate(shown).response(f"oktatasi-igazolas-{shown.pk}")


@needs(TRAINER)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Who has done what: everybody who began, by name."""
    clerks = {username: {"name": name, "codes": set()} for username, name in course.starters().items()}
    for each in Pass.objects.all():
        clerks.setdefault(each.username, {"name": each.name, "codes": set()})["codes"].add(each.exercise)
        clerks[each.username]["last"] = max(each.done_at, clerks[each.username].get("last", each.done_at))
    for issued in Certificate.objects.order_by("issued_at"):
        clerks[issued.username]["certificate"] = issued
    rows = sorted(clerks.values(), key=lambda clerk: clerk["name"])
    for row in rows:
        row["titles"] = [each.title for each in EXERCISES if each.code in row["codes"]]
    return render(request, "training/overview.html", {"rows": rows})

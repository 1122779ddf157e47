"""What the pages of this system share: the chosen year, forms on a page of their own, refused operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from systems.core.errors import NotPossible
from systems.gazd.forms import year_to_show
from systems.gazd.models import FiscalYear

CLERK, COUNTERSIGNER, APPROVER = "konyvelo", "ellenjegyzo", "utalvanyozo"
PAGE = 25


def year_context(request: HttpRequest) -> dict[str, Any]:
    """Context of a page about one year: `year` (None without any books), `years`."""
    years = list(FiscalYear.objects.values_list("year", flat=True))
    return {"year": year_to_show(request.GET.get("ev", ""), years), "years": years}


def perform(form: forms.Form, work: Callable[[], Any]) -> bool:
    """Do the work; a refusal becomes an error of the form. Returns whether it was done."""
    try:
        work()
    except NotPossible as fault:
        form.add_error(None, str(fault))
        return False
    return True


def form_page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: Any) -> HttpResponse:
    """A page with one form; status 422 when the submitted form has errors."""
    template = "gazd/rows.html" if "rows" in more else "core/form.html"
    context = {"form": form, "title": title, "back": back, **more}
    wrong = form.is_bound and bool(form.errors or ("rows" in more and not more["rows"].is_valid()))
    return render(request, template, context, status=422 if wrong else 200)

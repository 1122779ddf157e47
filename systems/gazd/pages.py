"""What the pages of this system share: the year chosen, forms on a page of their own, and refusals of the books."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from systems.gazd.bookkeeping import NotPossible
from systems.gazd.forms import chosen_year
from systems.gazd.models import FiscalYear

CLERK, COUNTERSIGNER, APPROVER = "konyvelo", "ellenjegyzo", "utalvanyozo"
PAGE = 25


def of_year(request: HttpRequest) -> dict[str, Any]:
    """Context of a page about one year: `year` (None without books), `years`."""
    years = list(FiscalYear.objects.values_list("year", flat=True))
    return {"year": chosen_year(request.GET.get("ev", ""), years), "years": years}


def done(form: forms.Form, work: Callable[[], Any]) -> bool:
    """Do the work; what the books refuse becomes an error of the form."""
    try:
        work()
    except NotPossible as fault:
        form.add_error(None, str(fault))
        return False
    return True


def form_page(request: HttpRequest, form: forms.Form, title: str, back: str, **more: Any) -> HttpResponse:
    """A page with one form; 422 when what was sent has errors."""
    template = "gazd/rows.html" if "rows" in more else "core/form.html"
    context = {"form": form, "title": title, "back": back, **more}
    wrong = form.is_bound and bool(form.errors or ("rows" in more and not more["rows"].is_valid()))
    return render(request, template, context, status=422 if wrong else 200)

"""The municipality's public site: news, decrees, public-interest data, trades, contacts. No sign-in is needed."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from systems.core import facts
from systems.core.maintenance import upcoming
from systems.core.texts import fold
from systems.portal.models import Contact, Decree, News, Publication, Unit
from systems.shell.sign_in import open_to_all

FIRST = 6  # news on the first page
PAGE = 20


def _has_system(system: str, ksh: str) -> bool:
    return any(entry.id == system and entry.serves(ksh) for entry in settings.ASP.catalogue)


@open_to_all
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "news": News.objects.visible(timezone.localdate())[:FIRST],
        "facts": facts.of_tenant(),
        "forms": _has_system("elugy", request.tenant.ksh),
        "trades": _has_system("iparker", request.tenant.ksh),
        "upcoming": upcoming(),
    }
    return render(request, "portal/index.html", context)


@open_to_all
@require_GET
def news(request: HttpRequest) -> HttpResponse:
    page = Paginator(News.objects.visible(timezone.localdate()), PAGE).get_page(request.GET.get("oldal"))
    return render(request, "portal/news.html", {"page": page})


@open_to_all
@require_GET
def article(request: HttpRequest, pk: int) -> HttpResponse:
    item = get_object_or_404(News.objects.visible(timezone.localdate()), pk=pk)
    return render(request, "portal/article.html", {"item": item})


@open_to_all
@require_GET
def decrees(request: HttpRequest) -> HttpResponse:
    """Search for decrees, by default only those in force."""
    query, include_expired, today = request.GET.get("q", "").strip()[:100], "mind" in request.GET, timezone.localdate()
    decrees = Decree.objects.filter(published=True).search(query)
    if not include_expired:
        decrees = decrees.in_force(today)
    page = Paginator(decrees.defer("text", "searchable"), PAGE).get_page(request.GET.get("oldal"))
    rows = [(decree, decree.in_force(today)) for decree in page]
    context = {"page": page, "rows": rows, "query": query, "include_expired": include_expired}
    return render(request, "portal/decrees.html", context)


@open_to_all
@require_GET
def decree(request: HttpRequest, year: int, number: int) -> HttpResponse:
    decree = get_object_or_404(Decree, year=year, number=number, published=True)
    return render(request, "portal/decree.html", {"item": decree, "in_force": decree.in_force(timezone.localdate())})


@open_to_all
@require_GET
def publications(request: HttpRequest) -> HttpResponse:
    """The public-interest data list, by the units of the general publication list, including empty ones."""
    items = list(Publication.objects.filter(published=True))
    units = [(label, [item for item in items if item.unit == unit]) for unit, label in Unit.choices]
    return render(request, "portal/publications.html", {"units": units})


@open_to_all
@require_GET
def contact(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/contact.html", {"item": Contact.objects.filter(pk=1, published=True).first()})


@open_to_all
@require_GET
def trades(request: HttpRequest) -> HttpResponse:
    """The trade system's current public register."""
    query = request.GET.get("q", "").strip()[:100]
    rows = _register() if _has_system("iparker", request.tenant.ksh) else None
    words = fold(query).split()
    matches = [row for row in rows or [] if all(word in fold(" ".join(map(str, row.values()))) for word in words)]
    page = Paginator(matches, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "portal/trades.html", {"page": page, "absent": rows is None, "query": query})


def _register() -> list[dict] | None:
    """Rows of the view that `iparker` shares; None when there is no such view yet."""
    columns = ("number", "name", "address", "activity", "since", "suspended_since", "until")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM iparker.public_register ORDER BY name, number")
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) in ("42P01", "3F000", "42501"):  # no view, no schema, not granted
            return None
        raise

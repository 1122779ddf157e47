"""Pages that every system has: refusals, errors, and the honest answer for a system that is not installed."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from systems.configuration import CatalogueEntry

__all__ = ["urlencode"]


def shared(request: HttpRequest) -> dict:
    """What every template may show: the system, the municipality's name and the clerk."""
    tenant = getattr(request, "tenant", None)
    return {
        "system": settings.ASP.entry,
        "municipality": tenant.bearer.municipality if tenant and tenant.bearer else "",
        "clerk": getattr(request, "clerk", None),
    }


def _notice(request: HttpRequest, status: int, title: str, text: str, link: tuple[str, str] | None = None):
    context = {"title": title, "text": text, "link": link}
    return render(request, "core/notice.html", context, status=status)


def refused(request: HttpRequest, status: int) -> HttpResponse:
    text = (
        "A kérés nem ennek az önkormányzatnak a tanúsítványával érkezett. Ha ez tévedés, forduljon a rendszergazdához."
    )
    return _notice(request, status, "A hozzáférés nem engedélyezett", text)


def no_role(request: HttpRequest) -> HttpResponse:
    name = settings.ASP.entry.name
    text = f"Önnek nincs szerepköre ebben a rendszerben ({name}). Szerepkört az önkormányzat adminisztrátora adhat."
    return _notice(request, 403, "Nincs jogosultsága", text, ("/keret/", "Vissza a keretrendszerbe"))


def sign_in_failed(request: HttpRequest) -> HttpResponse:
    text = "A belépés nem fejeződött be. Próbálja meg újra; ha ismét ezt látja, jelezze a hibabejelentőn."
    return _notice(request, 403, "Sikertelen belépés", text, (f"/{settings.ASP.system}/", "Újrapróbálkozás"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = "Az űrlap lejárt, az adatokat nem mentettük. Lépjen vissza, töltse be újra az oldalt, és küldje el ismét."
    return _notice(request, 403, "Az űrlap lejárt", text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _notice(
        request, 404, "Az oldal nem található", "Ezen a címen nincs oldal.", ("/keret/", "Vissza a keretrendszerbe")
    )


def broken(request: HttpRequest) -> HttpResponse:
    text = "Váratlan hiba történt, a rendszer naplózta. Próbálja meg később újra."
    return _notice(request, 500, "Hiba történt", text)


def not_installed(request: HttpRequest, entry: CatalogueEntry, rest: str = "") -> HttpResponse:
    """Answer of every address of a system that has no app server."""
    text = f"A(z) {entry.name} ennél az önkormányzatnál nincs telepítve, ezért itt nem használható."
    link = None if entry.public else ("/keret/", "Vissza a keretrendszerbe")
    return _notice(request, 404, "Ez a rendszer nincs telepítve", text, link)


not_installed.open_to_all = True

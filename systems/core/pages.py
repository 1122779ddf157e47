"""Pages that every system has: refusals, errors, and the notice that a system is not installed."""

from __future__ import annotations

import sys

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from systems.configuration import CatalogueEntry
from systems.core import logs
from systems.core.metrics import METHODS
from systems.core.room import RETRY_AFTER
from systems.shared.bodies import MIB, Upload

RETRY_SECONDS = 10  # about as long as a failover of the cell takes


def context(request: HttpRequest) -> dict:
    """Context of every template: the system, the municipality's name and whether it is for training, the clerk."""
    tenant = getattr(request, "tenant", None)
    public_name = getattr(request, "municipality", "")  # public pages have no certificate that could name it
    return {
        "system": settings.ASP.entry,
        "municipality": public_name or (tenant.bearer.municipality if tenant and tenant.bearer else ""),
        "clerk": getattr(request, "clerk", None),
        "sandbox": bool(tenant) and tenant.ksh in settings.ASP.training,
    }


def _notice(
    request: HttpRequest, status: int, title: str, text: str, link: tuple[str, str] | None = None, reference=True
) -> HttpResponse:
    """A page with one notice. `reference`: show the number by which operators find the request in their logs."""
    number = request.headers.get("Asp-Request-Id", "")[:64] if reference else ""
    return render(
        request, "core/notice.html", {"title": title, "text": text, "link": link, "number": number}, status=status
    )


def refusal(request: HttpRequest, status: int) -> HttpResponse:
    """421: the address is no municipality's; 403: the certificate is not of the municipality that has the address."""
    if status == 421:
        text = "Ezen a címen egyik önkormányzat rendszere sem érhető el. Ellenőrizze a böngésző címsorát."
        return _notice(request, status, "Hibás cím", text)
    text = "A kérés nem ennek az önkormányzatnak a tanúsítványával érkezett. Ha tévedés, szóljon a rendszergazdának."
    return _notice(request, status, "A hozzáférés nem engedélyezett", text)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = "A kérés hibás, ezért nem teljesíthető. Lépjen vissza, és próbálja meg újra."
    return _notice(request, 400, "Hibás kérés", text)


def wrong_method(request: HttpRequest) -> HttpResponse:
    response = _notice(request, 405, "Hibás kérés", "Ilyen kérést ez a rendszer nem fogad.")
    response.headers["Allow"] = ", ".join(METHODS)
    return response


def no_length(request: HttpRequest) -> HttpResponse:
    text = "A kérés nem mondja meg, mekkora, ezért nem fogadjuk. Használjon böngészőt."
    return _notice(request, 411, "Hibás kérés", text)


def too_large(request: HttpRequest, upload: Upload | None) -> HttpResponse:
    """413 with the size that the page promises."""
    text = "A beküldött adatok túl nagyok, nem mentettük őket. Lépjen vissza, és küldjön kevesebbet egyszerre."
    if upload:
        text = f"Itt egyszerre legfeljebb {upload.file // MIB} MB küldhető be. A beküldött adatokat nem mentettük."
    return _notice(request, 413, "Túl nagy", text)


def busy(request: HttpRequest) -> HttpResponse:
    text = "Most egyszerre sokan küldenek be fájlt, ezért az Önét nem mentettük. Próbálja meg fél perc múlva újra."
    response = _notice(request, 503, "Most sokan vannak", text)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _notice(request, 403, "Nincs jogosultsága", "Ehhez a művelethez Önnek nincs jogosultsága.")


def session_over(request: HttpRequest) -> HttpResponse:
    text = "Az Ön munkamenete lejárt, ezért a beküldött adatokat nem mentettük. Lépjen be újra, és ismételje meg."
    return _notice(request, 403, "Lejárt a munkamenet", text, (f"/{settings.ASP.system}/", "Belépés"), reference=False)


def no_role(request: HttpRequest) -> HttpResponse:
    name = settings.ASP.entry.name
    text = f"Önnek nincs szerepköre ebben a rendszerben ({name}). Szerepkört az önkormányzat adminisztrátora adhat."
    return _notice(request, 403, "Nincs jogosultsága", text, ("/keret/", "Vissza a keretrendszerbe"))


def clerks_only(request: HttpRequest) -> HttpResponse:
    text = "Itt csak az önkormányzat ügyintézői léphetnek be, az önkormányzat saját gépéről."
    return _notice(request, 403, "A hozzáférés nem engedélyezett", text)


def sign_in_failed(request: HttpRequest) -> HttpResponse:
    text = "A belépés nem fejeződött be. Próbálja meg újra; ha ismét ezt látja, jelezze a hibabejelentőn."
    return _notice(request, 403, "Sikertelen belépés", text, (f"/{settings.ASP.system}/", "Újrapróbálkozás"))


def account_locked(request: HttpRequest) -> HttpResponse:
    text = "Az Ön felhasználóját az önkormányzat adminisztrátora zárolta, ezért most nem léphet be. Forduljon hozzá."
    return _notice(request, 403, "Zárolt felhasználó", text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    logs.logger.warning("form refused: %s", reason.split(" - ")[0])  # the rest is the caller's own Origin or Referer
    text = "Az űrlap lejárt, az adatokat nem mentettük. Lépjen vissza, töltse be újra az oldalt, és küldje el ismét."
    return _notice(request, 403, "Az űrlap lejárt", text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    entry = settings.ASP.entry
    link = (f"/{entry.id}/", "A kezdőlapra") if entry.public else ("/keret/", "Vissza a keretrendszerbe")
    return _notice(request, 404, "Az oldal nem található", "Ezen a címen nincs oldal.", link)


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of a failed request: 503 when the tenant's database cannot be reached, 500 when the fault is ours."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        text = "Az önkormányzat adatbázisa most nem érhető el. Az adatok nem vesztek el; próbálja meg kicsit később."
        response = _notice(request, 503, "A rendszer átmenetileg nem érhető el", text)
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
    text = "Váratlan hiba történt, a rendszer naplózta. Próbálja meg később újra."
    return _notice(request, 500, "Hiba történt", text)


def not_installed(request: HttpRequest, entry: CatalogueEntry, rest: str = "") -> HttpResponse:
    """The response at every address of a system that has no app server or that this municipality lacks."""
    article = "Az" if entry.name[:1].lower() in "aáeéiíoóöőuúüű" else "A"
    text = f"{article} {entry.name} ennél az önkormányzatnál nincs telepítve, ezért itt nem használható."
    link = None if entry.public else ("/keret/", "Vissza a keretrendszerbe")
    title = "Ez a rendszer ennél az önkormányzatnál nincs telepítve"
    return _notice(request, 404, title, text, link, reference=False)


not_installed.open_to_all = True

"""Addresses of this app server: its system's; the framework also answers for systems that are not installed."""

from django.conf import settings
from django.urls import include, path

from systems.core import pages
from systems.shell import sign_in

system = settings.ASP.system
urlpatterns = [
    path(f"{system}/oidc/belepes", sign_in.begin, name="sign-in"),
    path(f"{system}/oidc/callback", sign_in.complete, name="sign-in-complete"),
    path(f"{system}/", include(f"systems.{system}.urls")),
]
if system == "keret":
    for entry in settings.ASP.catalogue:
        if not entry.installed:
            urlpatterns.append(path(f"{entry.id}/", pages.not_installed, {"entry": entry}))
            urlpatterns.append(path(f"{entry.id}/<path:rest>", pages.not_installed, {"entry": entry}))

handler400 = "systems.core.pages.bad_request"
handler403 = "systems.core.pages.forbidden"
handler404 = "systems.core.pages.not_found"
handler500 = "systems.core.pages.server_error"

"""Addresses of all systems at once; in production each app server has only its own."""

from django.urls import include, path

from systems.shell import sign_in
from tests.systems.support import SYSTEMS

urlpatterns = [
    path("oidc/belepes", sign_in.begin, name="sign-in"),
    path("oidc/callback", sign_in.complete, name="sign-in-complete"),
    *(path(f"{system}/", include(f"systems.{system}.urls")) for system in SYSTEMS),
]
handler400 = "systems.core.pages.bad_request"
handler403 = "systems.core.pages.forbidden"
handler404 = "systems.core.pages.not_found"
handler500 = "systems.core.pages.server_error"

"""Who may do what: views name the roles that they need by decorators."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from systems.core import logs, pages


def has(request: HttpRequest, *roles: str) -> bool:
    """Whether the clerk has one of these roles of this system."""
    clerk = getattr(request, "clerk", None)
    return clerk is not None and not clerk.roles_in(settings.ASP.system).isdisjoint(roles)


def needs(*roles: str) -> Callable:
    """Let only clerks with one of these roles reach the view; others get a refusal page, and it is logged."""

    def mark(view: Callable) -> Callable:
        @wraps(view)
        def wrapper(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            if not has(request, *roles):
                logs.logger.warning("refused: %s without role %s", view.__name__, " or ".join(roles))
                return pages.no_role(request)
            return view(request, *args, **kwargs)

        return wrapper

    return mark

"""Who may read which case: a restricted one is for its clerk, leaders, and clerks of the system that deals with it.

Its number stays visible to all, because a register has no gaps; `NEUTRAL` replaces its subject.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from systems.core import logs
from systems.core.access import has
from systems.irat.models import Case, Document

LEADER = "vezeto"
NEUTRAL = "Korlátozott hozzáférésű ügy"


def readable(request: HttpRequest, path: str = "") -> Q:
    """What the clerk may read, as a condition on cases, or on rows whose case is at `path`, such as `case__`."""
    if has(request, LEADER):
        return Q()
    assigned = {f"{path}assignee_username": request.clerk.username}
    return Q(**{f"{path}restricted": False}) | Q(**assigned) | Q(**{f"{path}system__in": _systems(request)})


def may_read(request: HttpRequest, case: Case) -> bool:
    """Whether the clerk may read a case."""
    involved = case.assignee_username == request.clerk.username or case.system in _systems(request)
    return not case.restricted or involved or has(request, LEADER)


def _systems(request: HttpRequest) -> set[str]:
    """Systems in which the clerk has a role."""
    return {role.partition(".")[0] for role in request.clerk.roles}


def check(request: HttpRequest, case: Case) -> None:
    """Raise PermissionDenied and log it, unless the clerk may read the case."""
    if not may_read(request, case):
        logs.logger.warning("refused: case %s is restricted", case.pk)
        raise PermissionDenied


def case_of(request: HttpRequest, pk: int) -> Case:
    """A case that the clerk may read; 404 or PermissionDenied otherwise."""
    case = get_object_or_404(Case.objects.select_related("register", "item", "continues__register"), pk=pk)
    check(request, case)
    return case


def document_of(request: HttpRequest, pk: int) -> Document:
    """A document of a case that the clerk may read; 404 or PermissionDenied otherwise."""
    document = get_object_or_404(Document.objects.select_related("case__register"), pk=pk)
    check(request, document.case)
    return document


def hide_restricted(request: HttpRequest, cases: Iterable[Case]) -> list[Case]:
    """Cases as a list may show them: only the number of those that the clerk may not read."""
    listing = list(cases)
    for case in listing:
        if not may_read(request, case):
            case.subject = NEUTRAL
    return listing

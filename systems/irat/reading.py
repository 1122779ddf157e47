"""Who may read which case: a restricted one is for its clerk, for leaders, and for clerks of the system it belongs to.

Its number stays visible to all, because a register has no gaps; instead of what it is about stands `NEUTRAL`.
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


def readable(request: HttpRequest, of: str = "") -> Q:
    """What the clerk may read: a condition on cases, or on what has one at `of`, such as `case__`."""
    if has(request, LEADER):
        return Q()
    own = {f"{of}assignee_username": request.clerk.username}
    return Q(**{f"{of}restricted": False}) | Q(**own) | Q(**{f"{of}system__in": _systems(request)})


def allowed(request: HttpRequest, case: Case) -> bool:
    """Whether the clerk may read a case."""
    own = case.assignee_username == request.clerk.username or case.system in _systems(request)
    return not case.restricted or own or has(request, LEADER)


def _systems(request: HttpRequest) -> set[str]:
    """In which the clerk has a role."""
    return {role.partition(".")[0] for role in request.clerk.roles}


def check(request: HttpRequest, case: Case) -> None:
    """PermissionDenied, and a line of the log, unless the clerk may read the case."""
    if not allowed(request, case):
        logs.logger.warning("refused: case %s is restricted", case.pk)
        raise PermissionDenied


def case_of(request: HttpRequest, pk: int) -> Case:
    """A case that the clerk may read, else a page that says no."""
    case = get_object_or_404(Case.objects.select_related("register", "item", "continues__register"), pk=pk)
    check(request, case)
    return case


def document_of(request: HttpRequest, pk: int) -> Document:
    """A document of a case that the clerk may read, else a page that says no."""
    document = get_object_or_404(Document.objects.select_related("case__register"), pk=pk)
    check(request, document.case)
    return document


def neutral(request: HttpRequest, cases: Iterable[Case]) -> list[Case]:
    """Cases as a list shows them: of those that the clerk may not read the number only."""
    shown = list(cases)
    for case in shown:
        if not allowed(request, case):
            case.subject = NEUTRAL
    return shown

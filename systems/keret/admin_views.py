"""What the municipality's administrator does: clerks, roles, locks, substitutions, sessions, log, statistics."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core import facts
from systems.core.access import needs
from systems.core.charts import bars
from systems.keret.chain import end_sessions
from systems.keret.forms import LockForm, RolesForm, SubstitutionForm, TemporaryForm, UserForm, role_choices
from systems.keret.models import Activity, Grant, Presence, User
from systems.shell import activity

ADMINISTRATOR = "adminisztrator"
LAST = "Ő az önkormányzat utolsó adminisztrátora. Előbb adjon másnak is állandó adminisztrátori szerepkört."
PAGE = 50
DAYS = 30  # of statistics


@needs(ADMINISTRATOR)
@require_GET
def users(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    users = User.objects.filter(name__icontains=query) | User.objects.filter(username__icontains=query)
    page = Paginator(users, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "keret/users.html", {"page": page, "query": query})


@needs(ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new clerk, or the particulars of one."""
    user = get_object_or_404(User, pk=pk) if pk else None
    form = UserForm(request.POST or None, instance=user)
    if form.is_valid():
        with transaction.atomic():
            clerk = form.save()
            action = "felhasználó adatainak módosítása" if user else "felhasználó felvétele"
            activity.record(request, action, clerk.username)
        messages.success(request, f"{clerk.name} adatait mentettük.")
        return redirect("keret:user", pk=clerk.pk)
    title = f"{user.name} adatai" if user else "Új felhasználó"
    return render(
        request, "core/form.html", {"form": form, "title": title, "back": "."}, status=422 if form.errors else 200
    )


@needs(ADMINISTRATOR)
@require_GET
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """One clerk: particulars, current roles, substitutions and permissions, last lines of the log."""
    user = get_object_or_404(User, pk=pk)
    others = facts.others_of_office()
    labels = {key: f"{name}: {label}" for name, choices in role_choices(request.tenant.ksh) for key, label in choices}
    context = {
        "user": user,
        "roles": sorted(labels.get(role, role) for role in user.base_roles()),
        "grants": [
            (grant, labels.get(grant.key, grant.key), _elsewhere(grant, others))
            for grant in user.grants.active().exclude(kind=Grant.Kind.PERMANENT).select_related("substitutes")
        ],
        "lines": Activity.objects.filter(username=user.username)[:10],
        "lock_form": LockForm(prefix="zar"),
    }
    return render(request, "keret/user.html", context)


@needs(ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def roles(request: HttpRequest, pk: int) -> HttpResponse:
    """Set a clerk's permanent roles; one administrator always remains."""
    user = get_object_or_404(User, pk=pk)
    current: dict[str, list[str]] = {}
    for role in user.base_roles():
        current.setdefault(role.split(".")[0], []).append(role)
    form = RolesForm(request.tenant.ksh, request.POST or None, initial=current)
    if request.method == "POST" and form.is_valid():
        new_roles = form.roles()
        if user.username == request.clerk.username and f"keret.{ADMINISTRATOR}" not in new_roles:
            form.add_error(
                None, "Saját adminisztrátori szerepkörét nem veheti el: kérjen meg rá egy másik adminisztrátort."
            )
        elif refusal := _set_roles(request, user, new_roles):
            form.add_error(None, refusal)
        else:
            messages.success(request, f"{user.name} szerepköreit mentettük. A változás a következő kattintásától él.")
            return redirect("keret:user", pk=pk)
    context = {"form": form, "user": user}
    return render(request, "keret/roles.html", context, status=422 if form.errors else 200)


def _set_roles(request: HttpRequest, user: User, new_roles: set[str]) -> str | None:
    """Why it is not done, or None when it is."""
    with transaction.atomic():
        last = _is_last_administrator(user)
        if last and f"keret.{ADMINISTRATOR}" not in new_roles:
            return LAST
        grants = {grant.key: grant for grant in user.grants.active().filter(kind=Grant.Kind.PERMANENT)}
        before = user.base_roles()
        for key in grants.keys() - new_roles:
            _revoke(request, grants[key])
        for key in new_roles - grants.keys():
            system, role = key.split(".")
            Grant.objects.create(
                user=user, kind=Grant.Kind.PERMANENT, system=system, role=role, given_by=request.clerk.name
            )
        User.objects.filter(pk=user.pk).update(managed=True)
        for key in sorted(new_roles - before):
            activity.record(request, "szerepkör megadása", f"{user.username}: {key}")
        for key in sorted(before - new_roles):
            activity.record(request, "szerepkör elvétele", f"{user.username}: {key}")
    return None


def _is_last_administrator(user: User) -> bool:
    """Whether nobody else is a permanent administrator who can work; holds until the transaction ends.

    Every administrator's row is locked, so that two cannot take the role from each other at the same time.
    """
    administrators = User.objects.holding(f"keret.{ADMINISTRATOR}")
    candidates = User.objects.filter(Q(pk=user.pk) | Q(pk__in=administrators.values("pk")))
    list(candidates.order_by("pk").select_for_update().values_list("pk"))
    # Read again: the transaction that held the locks may have changed it.
    return set(administrators.values_list("pk", flat=True)) == {user.pk}


def _revoke(request: HttpRequest, grant: Grant) -> None:
    grant.revoked_at, grant.revoked_by = timezone.now(), request.clerk.name
    grant.save(update_fields=["revoked_at", "revoked_by"])


@needs(ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def permit(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant a temporary permission."""
    user = get_object_or_404(User, pk=pk)
    form = TemporaryForm(request.tenant.ksh, request.POST or None)
    if form.is_valid():
        system, role = form.cleaned_data["role"].split(".")
        grant = Grant(user=user, kind=Grant.Kind.TEMPORARY, system=system, role=role)
        return _give(request, grant, form, "ideiglenes engedély", f"{user.username}: {grant.key}")
    title = f"Ideiglenes engedély: {user.name}"
    return _period_form(request, form, title, "Az utolsó nap végén magától megszűnik.", pk)


@needs(ADMINISTRATOR)
@require_http_methods(["GET", "POST"])
def substitute(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant a substitution: this clerk has a colleague's roles until a day."""
    user = get_object_or_404(User, pk=pk)
    initial = {"colleague": request.GET.get("kit"), "until": request.GET.get("meddig")}
    form = SubstitutionForm(user, request.POST or None, initial=initial)
    if form.is_valid():
        colleague = form.cleaned_data["colleague"]
        grant = Grant(user=user, kind=Grant.Kind.SUBSTITUTION, substitutes=colleague)
        return _give(request, grant, form, "helyettesítés", f"{user.username} helyettesíti: {colleague.username}")
    lead = "A kolléga minden szerepkörét megkapja; az utolsó nap végén magától megszűnik."
    return _period_form(request, form, f"Helyettesítés: {user.name}", lead, pk)


@needs(ADMINISTRATOR)
@require_GET
def substitute_here_too(request: HttpRequest) -> HttpResponse:
    """Repeat a substitution that was granted at another municipality of the joint office, which links to this page.

    Only two usernames and a day are passed on; whoever may grant it here has to do so again.
    """
    names = {field: request.GET.get(field, "") for field in ("ki", "kit")}
    users = {user.username: user for user in User.objects.filter(username__in=names.values())}
    unknown = sorted(set(names.values()) - users.keys())
    if unknown:
        municipality = facts.of_tenant().name
        messages.error(
            request,
            f"{municipality} felhasználói között nincs: {', '.join(unknown)}. "
            "Vegye fel, majd ismételje meg a helyettesítést.",
        )
        return redirect("keret:users")
    query = urlencode({"kit": users[names["kit"]].pk, "meddig": request.GET.get("meddig", "")})
    return redirect(f"{reverse('keret:substitute', args=[users[names['ki']].pk])}?{query}")


def _elsewhere(grant: Grant, others: list[facts.Other]) -> list[tuple[str, str]]:
    """Name and address of the pages where the office's other municipalities can grant the same substitution."""
    if not grant.substitutes:
        return []
    last_day = timezone.localtime(grant.until).date() - dt.timedelta(days=1)
    query = {"ki": grant.user.username, "kit": grant.substitutes.username, "meddig": last_day.isoformat()}
    path = f"{reverse('keret:substitute-here-too')}?{urlencode(query)}"
    return [(other.name, f"{other.origin}{path}") for other in others]


def _give(request: HttpRequest, grant: Grant, form, action: str, subject: str) -> HttpResponse:
    grant.until, grant.reason = form.cleaned_data["until"], form.cleaned_data["reason"]
    grant.given_by = request.clerk.name
    with transaction.atomic():
        grant.save()
        activity.record(request, action, subject)
    messages.success(request, f"Mentettük: {action}, {grant.user.name}.")
    return redirect("keret:user", pk=grant.user_id)


def _period_form(request: HttpRequest, form, title: str, lead: str, pk: int) -> HttpResponse:
    context = {"form": form, "title": title, "lead": lead, "back": "."}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@needs(ADMINISTRATOR)
@require_POST
def end_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """End a substitution or a temporary permission now."""
    with transaction.atomic():
        grant = get_object_or_404(Grant.objects.select_for_update(), pk=pk)
        if grant.kind == Grant.Kind.PERMANENT:
            messages.error(request, "Állandó szerepkört a szerepkörök lapján lehet elvenni.")
        elif grant.revoked_at is None:
            _revoke(request, grant)
            activity.record(request, f"{grant.get_kind_display()} visszavonása", grant.user.username)
            messages.success(request, "Visszavontuk.")
    return redirect("keret:user", pk=grant.user_id)


@needs(ADMINISTRATOR)
@require_POST
def lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock a clerk out of every system, from their next request on."""
    user, form = get_object_or_404(User, pk=pk), LockForm(request.POST, prefix="zar")
    if user.username == request.clerk.username:
        messages.error(request, "Saját magát nem zárolhatja.")
    elif not form.is_valid():
        messages.error(request, "A zárolás indokát meg kell adni.")
    elif user.locked_at is None:
        if refusal := _lock(request, user, form.cleaned_data["reason"]):
            messages.error(request, refusal)
        else:
            messages.success(request, f"{user.name} zárolva; minden rendszerből kiléptettük.")
    return redirect("keret:user", pk=pk)


def _lock(request: HttpRequest, user: User, reason: str) -> str | None:
    """Why it is not done, or None when it is."""
    with transaction.atomic():
        if _is_last_administrator(user):
            return LAST
        now = timezone.now()
        User.objects.filter(pk=user.pk).update(locked_at=now, lock_reason=reason)
        end_sessions(user.username, now)
        activity.record(request, "zárolás", user.username)
    return None


@needs(ADMINISTRATOR)
@require_POST
def unlock(request: HttpRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    if user.locked_at:
        with transaction.atomic():
            User.objects.filter(pk=pk).update(locked_at=None, lock_reason="")
            activity.record(request, "zárolás feloldása", user.username)
        messages.success(request, f"{user.name} zárolását feloldottuk.")
    return redirect("keret:user", pk=pk)


@needs(ADMINISTRATOR)
@require_GET
def sessions(request: HttpRequest) -> HttpResponse:
    """Clerks who are signed in, as far as the framework knows (`PresenceSet.inside`)."""
    users = {user.username: user for user in User.objects.all()}
    inside: dict[str, dict] = {}
    for presence in Presence.objects.inside(timezone.now()).order_by("began_at"):
        # The message of a sign-in created both, so everybody present has a user.
        entry = inside.setdefault(
            presence.username, {"user": users[presence.username], "since": presence.began_at, "systems": {}}
        )
        entry["systems"][settings.ASP.name_of(presence.system)] = None
    return render(request, "keret/sessions.html", {"inside": list(inside.values())})


@needs(ADMINISTRATOR)
@require_POST
def force_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign a clerk out of every system."""
    user = get_object_or_404(User, pk=pk)
    with transaction.atomic():
        end_sessions(user.username, timezone.now())
        activity.record(request, "kiléptetés", user.username)
    messages.success(request, f"{user.name} minden munkamenetét lezártuk.")
    return redirect("keret:sessions")


@needs(ADMINISTRATOR)
@require_GET
def log(request: HttpRequest) -> HttpResponse:
    """The business log, filtered by clerk, system, action and days."""
    lines, filters = Activity.objects.all(), {}
    for name, lookup in (("ki", "name__icontains"), ("rendszer", "system"), ("mit", "action__icontains")):
        filters[name] = request.GET.get(name, "").strip()[:80]
        if filters[name]:
            lines = lines.filter(**{lookup: filters[name]})
    for name, lookup in (("tol", "at__date__gte"), ("ig", "at__date__lte")):
        try:
            filters[name] = dt.date.fromisoformat(request.GET.get(name, ""))
            lines = lines.filter(**{lookup: filters[name]})
        except ValueError:
            filters[name] = None
    page = Paginator(lines, PAGE).get_page(request.GET.get("oldal"))
    systems = [(entry.id, entry.name) for entry in settings.ASP.catalogue if entry.serves(request.tenant.ksh)]
    return render(request, "keret/log.html", {"page": page, "filters": filters, "systems": systems})


@needs(ADMINISTRATOR)
@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    """Statistics of the last days: sign-ins a day, work by system, the most frequent actions."""
    first_day = timezone.localdate() - dt.timedelta(days=DAYS - 1)
    lines = Activity.objects.filter(at__date__gte=first_day)
    by_day = dict(
        Presence.objects.filter(began_at__date__gte=first_day)
        .annotate(day=TruncDate("began_at"))
        .values_list("day")
        .annotate(Count("username", distinct=True))
    )
    by_system = lines.values_list("system").annotate(n=Count("id")).order_by("-n", "system")
    days = [first_day + dt.timedelta(days=n) for n in range(DAYS)]
    context = {
        "days": bars((day.strftime("%m. %d."), by_day.get(day, 0)) for day in days),
        "systems": bars((settings.ASP.name_of(system), n) for system, n in by_system),
        "actions": bars(lines.values_list("action").annotate(n=Count("id")).order_by("-n", "action")[:15]),
        "span": DAYS,
    }
    return render(request, "keret/statistics.html", context)

"""Editors' pages: write, preview, publish, and see who changed what and when."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.core.serializers.python import Serializer
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from systems.core.access import needs
from systems.portal.forms import KINDS, ItemForm, model_of
from systems.portal.models import Change, Contact, Item
from systems.shell import activity

EDITOR = "szerkeszto"
PAGE = 25
NOT_CONTENT = {"token", "revision", "searchable"}  # columns that hold no content


@needs(EDITOR)
@require_GET
def index(request: HttpRequest, kind: str = "hir") -> HttpResponse:
    """All items of one kind, including drafts."""
    model = _model(kind)
    if model is Contact:
        return redirect("portal:edit", kind=kind, pk=1)
    page = Paginator(model.objects.all(), PAGE).get_page(request.GET.get("oldal"))
    return render(request, "portal/editor.html", {**_tabs(kind), "page": page})


@needs(EDITOR)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, kind: str, pk: int | None = None) -> HttpResponse:
    """A new or existing item. "Előnézet" shows it below the form without saving."""
    model = _model(kind)
    if model is Contact and pk != 1:
        raise Http404
    item = _contact() if model is Contact else get_object_or_404(model, pk=pk) if pk else None
    form = KINDS[kind][0](request.POST or None, instance=item)
    preview = None
    if form.is_bound and form.is_valid():
        if "elonezet" in request.POST:
            preview = form.instance
        elif result := _save(request, kind, form):
            messages.success(request, "Mentettük." if result.published else "Mentettük, de még nincs közzétéve.")
            return redirect("portal:edit", kind=kind, pk=result.pk)
        else:
            form.add_error(None, "Közben más módosította. Nyissa meg újra, és vezesse át, amit változtatna.")
    context = {**_tabs(kind), "form": form, "item": item, "preview": preview}
    return render(request, "portal/edit.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _save(request: HttpRequest, kind: str, form: ItemForm) -> Item | None:
    """Save a valid form with its line of history; None when somebody else has changed the item meanwhile."""
    item, revision = form.instance, form.cleaned_data["revision"]
    model = type(item)
    if item._state.adding:
        item.token = form.cleaned_data["token"]
        try:
            with transaction.atomic():
                item.save(force_insert=True)
        except IntegrityError:
            return model.objects.filter(token=item.token).first()  # the same form was sent twice
    else:
        current = model.objects.select_for_update().get(pk=item.pk)
        if current.revision != revision:
            return None
        if _content(current) == _content(item):
            return item
        item.revision = current.revision + 1
        item.save()
    clerk = request.clerk
    Change.objects.create(kind=kind, item=item.pk, username=clerk.username, name=clerk.name, content=_content(item))
    activity.record(request, f"portál: {KINDS[kind][1].lower()} szerkesztése", str(item)[:150])
    return item


@needs(EDITOR)
@require_GET
def history(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Every change of an item: who, when, and the old and new values."""
    item = get_object_or_404(_model(kind), pk=pk)
    changes = list(Change.objects.filter(kind=kind, item=pk))
    labels = {field.name: field.verbose_name for field in type(item)._meta.fields}
    lines = []
    befores = [*(change.content for change in changes[1:]), {}]
    for change, before in zip(changes, befores, strict=False):  # the oldest items may have no change
        differences = [
            (labels.get(name, name), _to_text(before.get(name)), _to_text(value))
            for name, value in change.content.items()
            if before.get(name) != value
        ]
        lines.append((change, differences))
    return render(request, "portal/history.html", {**_tabs(kind), "item": item, "lines": lines})


def _to_text(value: Any) -> str:
    """A value in the history as people read it."""
    if isinstance(value, bool):
        return "igen" if value else "nem"
    return "–" if value in (None, "") else str(value)


def _contact() -> Contact:
    return Contact.objects.filter(pk=1).first() or Contact(pk=1)


def _content(item: Item) -> dict[str, Any]:
    """An item's content as JSON."""
    fields = Serializer().serialize([item])[0]["fields"]
    return {
        name: value if value is None or isinstance(value, str | int | bool) else str(value)
        for name, value in fields.items()
        if name not in NOT_CONTENT
    }


def _model(kind: str) -> type[Item]:
    if kind not in KINDS:
        raise Http404
    return model_of(kind)


def _tabs(kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "title": KINDS[kind][1],
        "new": KINDS[kind][2],
        "kinds": [(k, v[1]) for k, v in KINDS.items()],
    }

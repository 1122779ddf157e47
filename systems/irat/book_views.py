"""Pages of books: arrivals, registers and their closing, the archive and its scrapping, statistics."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import ExtractMonth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core.access import has, needs
from systems.core.charts import bars
from systems.core.errors import NotPossible
from systems.core.pdf import Pdf
from systems.core.sheets import sheet
from systems.core.texts import fold
from systems.irat import filing, handling, reading
from systems.irat.forms import IncomingForm, RegisterForm, SendBackForm
from systems.irat.models import Case, Destruction, Direction, Document, Incoming, Register, take_number
from systems.shell import activity

WRITER, LEADER = "iktato", "vezeto"
PAGE = 25


@require_GET
def arrivals(request: HttpRequest) -> HttpResponse:
    pending = request.GET.get("szuro") != "mind"
    items = Incoming.objects.select_related("document__case", "krx").defer("krx__content")
    items = items.filter(document=None, sent_back="") if pending else items
    page = Paginator(items, PAGE).get_page(request.GET.get("oldal"))
    for item in page:
        if item.document and not reading.may_read(request, item.document.case):
            item.sender, item.subject = "–", reading.NEUTRAL
    context = {"page": page, "pending": pending, "may": has(request, WRITER)}
    return render(request, "irat/arrivals.html", context)


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def new_arrival(request: HttpRequest) -> HttpResponse:
    form = IncomingForm(request.POST or None)
    if form.is_bound and form.is_valid():
        item = form.save(commit=False)
        item.form_token, item.booked_by = form.cleaned_data["token"], request.clerk.name
        try:
            with transaction.atomic():
                item.number = take_number("ERK", timezone.localdate().year)
                item.save()
                activity.record(request, "érkeztetés", item.number)
        except IntegrityError:  # the same form was sent twice
            item = get_object_or_404(Incoming, form_token=form.cleaned_data["token"])
        messages.success(request, f"Érkeztettük. Azonosítója: {item.number}")
        return redirect("irat:arrivals")
    context = {"form": form, "title": "Küldemény érkeztetése", "submit": "Érkeztetés", "back": reverse("irat:arrivals")}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@needs(WRITER)
@require_http_methods(["GET", "POST"])
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    arrival = get_object_or_404(Incoming, pk=pk)
    form = SendBackForm(request.POST or None)
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            item = Incoming.objects.select_for_update().get(pk=pk)
            if item.waits:
                item.sent_back = form.cleaned_data["reason"]
                item.save(update_fields=["sent_back"])
                filing.forget(item)
                activity.record(request, "visszaküldés", item.number)
                messages.success(request, f"Visszaküldtük: {item.number}")
            else:
                messages.error(request, "Ezt a küldeményt már iktatták vagy visszaküldték.")
        return redirect("irat:arrivals")
    context = {"form": form, "title": f"Visszaküldés: {arrival.number}", "lead": arrival.sender}
    context |= {"submit": "Visszaküldés", "back": reverse("irat:arrivals")}
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@require_GET
def registers(request: HttpRequest) -> HttpResponse:
    registers = Register.objects.annotate(documents=Count("case__documents")).order_by("-year", "prefix")
    context = {"registers": registers, "may": has(request, LEADER), "year": timezone.localdate().year}
    return render(request, "irat/registers.html", context)


@needs(LEADER)
@require_http_methods(["GET", "POST"])
def open_register(request: HttpRequest) -> HttpResponse:
    """Open a register beside the usual one; clerks choose one of them when they open a case."""
    form = RegisterForm(request.POST or None)
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        name = f"{data['prefix']}/{data['year']}"
        with transaction.atomic():
            _, is_new = Register.objects.get_or_create(prefix=data["prefix"], year=data["year"])
            if is_new:
                activity.record(request, "iktatókönyv megnyitása", name)
        if is_new:
            messages.success(request, f"Az iktatókönyvet megnyitottuk: {name}")
            return redirect("irat:registers")
        form.add_error("prefix", f"Ez az iktatókönyv már megvan: {name}.")
    context = {"form": form, "title": "Iktatókönyv megnyitása", "submit": "Megnyitás"}
    context["back"] = reverse("irat:registers")
    return render(request, "core/form.html", context, status=422 if form.errors else 200)


@needs(LEADER)
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a register of a past year; nothing can be registered in it from then on."""
    with transaction.atomic():
        register = get_object_or_404(Register.objects.select_for_update(), pk=pk)
        if register.closed_at:
            messages.error(request, "Ezt az iktatókönyvet már lezárták.")
        elif register.year >= timezone.localdate().year:
            messages.error(request, "Iktatókönyvet csak az év letelte után lehet lezárni.")
        else:
            register.closed_at, register.closed_by = timezone.now(), request.clerk.name
            register.save(update_fields=["closed_at", "closed_by"])
            activity.record(request, "iktatókönyv lezárása", f"{register.prefix}/{register.year}")
            messages.success(request, f"Az iktatókönyvet lezártuk: {register.prefix}/{register.year}")
    return redirect("irat:registers")


@require_GET
def register_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """A register as a table; of restricted cases only the numbers, for clerks who may not read them."""
    register = get_object_or_404(Register, pk=pk)
    head = [
        "Iktatószám",
        "Irány",
        "Küldő",
        "Címzett",
        "Tárgy",
        "Érkezés napja",
        "Iktatta",
        "Iktatás időpontja",
        "Állapot",
    ]
    documents = Document.objects.filter(case__register=register).select_related("case").order_by("case__main", "sub")
    rows = (
        [
            d.number, d.get_direction_display(), *_about(request, d), d.received_on, d.registered_by,
            timezone.localtime(d.registered_at).strftime("%Y-%m-%d %H:%M"), d.case.get_state_display(),
        ]
        for d in documents.iterator()
    )  # fmt: skip
    title = f"Iktatókönyv {register.prefix} {register.year}"
    return sheet(f"iktatokonyv-{fold(register.prefix)}-{register.year}", head, rows, title)


def _about(request: HttpRequest, document: Document) -> tuple[str, str, str]:
    """Sender, addressee and subject, as far as the clerk may read them."""
    if reading.may_read(request, document.case):
        return document.sender, document.addressee, document.subject
    return "–", "–", reading.NEUTRAL


@require_GET
def archive(request: HttpRequest) -> HttpResponse:
    year = timezone.localdate().year
    cases = (
        Case.objects.filter(state=Case.State.ARCHIVED).select_related("register", "item").order_by("keep_until", "id")
    )
    page = Paginator(cases, PAGE).get_page(request.GET.get("oldal"))
    page.object_list = reading.hide_restricted(request, page.object_list)
    context = {
        "page": page,
        "scrapable": handling.scrapable(year).count(),
        "records": Destruction.objects.annotate(count=Count("cases"))[:20],
        "may": has(request, WRITER),
    }
    return render(request, "irat/archive.html", context)


@needs(WRITER)
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """Propose all cases past their retention period for scrapping."""
    try:
        with transaction.atomic():
            cases = handling.scrapable(timezone.localdate().year).select_for_update(of=("self",))
            record = handling.propose(list(cases), request.clerk.name)
            activity.record(request, "selejtezés előterjesztése", record.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
        return redirect("irat:archive-list")
    return redirect("irat:destruction", pk=record.pk)


@require_GET
def destruction(request: HttpRequest, pk: int) -> HttpResponse:
    record = get_object_or_404(Destruction, pk=pk)
    may = has(request, LEADER) and not record.approved_by and record.proposed_by != request.clerk.name
    cases = reading.hide_restricted(request, record.cases.select_related("register", "item"))
    context = {"record": record, "cases": cases, "may_approve": may}
    return render(request, "irat/destruction.html", context)


@needs(LEADER)
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Destruction, pk=pk)
    try:
        with transaction.atomic():
            record = Destruction.objects.select_for_update().get(pk=pk)
            handling.scrap(record, request.clerk.name)
            activity.record(request, "selejtezés jóváhagyása", record.number)
        messages.success(request, "A selejtezést jóváhagytuk.")
    except NotPossible as fault:
        messages.error(request, str(fault))
    return redirect("irat:destruction", pk=pk)


@require_GET
def destruction_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    record = get_object_or_404(Destruction, pk=pk)
    page = Pdf("Selejtezési jegyzőkönyv", record.number)
    page.pairs(
        [
            ("Előterjesztette", f"{record.proposed_by}, {timezone.localtime(record.proposed_at):%Y. %m. %d.}"),
            (
                "Jóváhagyta",
                f"{record.approved_by}, {timezone.localtime(record.approved_at):%Y. %m. %d.}"
                if record.approved_at
                else "jóváhagyásra vár",
            ),
        ]
    )
    cases = reading.hide_restricted(request, record.cases.select_related("register", "item"))
    rows = [[c.number, c.subject, c.item.code, c.keep_until] for c in cases]
    page.table(["Ügyirat", "Tárgy", "Tétel", "Megőrzendő volt"], rows, (2, 4, 1, 2))
    return page.response(f"selejtezes-{record.number.replace('/', '-')}")


@require_GET
def statistics(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    this_year = Document.objects.filter(registered_at__year=today.year)
    by_month = this_year.order_by().annotate(month=ExtractMonth("registered_at"))
    months = dict(by_month.values_list("month").annotate(n=Count("id")))
    directions = dict(this_year.order_by().values_list("direction").annotate(n=Count("id")))
    states = dict(Case.objects.order_by().values_list("state").annotate(n=Count("id")))
    late = Case.objects.filter(state=Case.State.ASSIGNED, deadline__lt=today).count()
    settlements = Case.objects.filter(settled_on__year=today.year).aggregate(
        all=Count("id"), late=Count("id", filter=Q(settled_on__gt=F("deadline")))
    )
    context = {
        "year": today.year,
        "months": bars((f"{dt.date(today.year, m, 1):%Y. %m.}", months.get(m, 0)) for m in range(1, today.month + 1)),
        "directions": bars((label, directions.get(value, 0)) for value, label in Direction.choices),
        "states": bars((label, states.get(value, 0)) for value, label in Case.State.choices),
        "late": late,
        "settlements": settlements,
    }
    return render(request, "irat/statistics.html", context)

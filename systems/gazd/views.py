"""Budget, commitments, invoices and partners."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.core import money
from systems.core.access import needs
from systems.gazd import bookkeeping, years
from systems.gazd.bookkeeping import NotPossible
from systems.gazd.forms import (
    AppropriationForm,
    CommitmentForm,
    Dated,
    InvoiceForm,
    LineSet,
    ModificationForm,
    PartForm,
    PartnerForm,
    PaymentForm,
    YearForm,
)
from systems.gazd.models import Appropriation, Commitment, FiscalYear, Invoice, Partner
from systems.gazd.pages import APPROVER, CLERK, COUNTERSIGNER, PAGE, done, form_page, of_year
from systems.shell import activity


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The budget of a year."""
    context = of_year(request)
    found = list(Appropriation.objects.filter(year=context["year"]).select_related("item"))
    sides = [(side, [row for row in found if row.item.side == side]) for side in ("revenue", "expense")]
    totals = {side: sum(row.modified for row in rows) for side, rows in sides}
    return render(request, "gazd/index.html", context | {"sides": sides, "totals": totals})


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_year(request: HttpRequest) -> HttpResponse:
    form = YearForm(request.POST or None, initial={"year": timezone.localdate().year})

    def work() -> None:
        with transaction.atomic():
            opened = years.open_year(form.cleaned_data["year"], request.clerk.username)
            activity.record(request, "költségvetési év megnyitása", str(opened.year))

    if form.is_valid() and done(form, work):
        messages.success(request, f"A(z) {form.cleaned_data['year']}. év nyitva van.")
        return redirect(f"{reverse('gazd:index')}?ev={form.cleaned_data['year']}")
    lead = (
        "A teljesen lezárt előző év záró egyenlegei nyitó tételek lesznek, a még ki nem fizetett "
        "kötelezettségvállalásai pedig fedezetükkel együtt átkerülnek. Ha az előző év nincs lezárva, "
        "mindez a zárásakor történik meg."
    )
    return form_page(request, form, "Év megnyitása", reverse("gazd:index"), submit="Megnyitás", lead=lead)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_appropriation(request: HttpRequest, year: int) -> HttpResponse:
    books, form = get_object_or_404(FiscalYear, pk=year), AppropriationForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        with transaction.atomic():
            made = bookkeeping.appropriate(books, data["item"], data["original"])
            activity.record(request, "előirányzat felvétele", f"{year}/{made.item_id}")

    back = f"{reverse('gazd:index')}?ev={year}"
    if form.is_valid() and done(form, work):
        messages.success(request, "Az előirányzatot felvettük.")
        return redirect(back)
    return form_page(request, form, f"Új előirányzat: {year}", back)


@require_GET
def appropriation(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Appropriation.objects.select_related("item"), pk=pk)
    held = shown.commitment_set.select_related("partner", "appropriation")
    context = {"shown": shown, "modifications": shown.modifications.all(), "commitments": held}
    return render(request, "gazd/appropriation.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def modify(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Appropriation.objects.select_related("item"), pk=pk)
    form = ModificationForm(request.POST or None)

    def work() -> None:
        with transaction.atomic():
            bookkeeping.modify(pk, **form.cleaned_data, clerk=request.clerk.username)
            activity.record(request, "előirányzat módosítása", f"{shown.year_id}/{shown.item_id}")

    back = reverse("gazd:appropriation", args=[pk])
    if form.is_valid() and done(form, work):
        messages.success(request, "Az előirányzatot módosítottuk.")
        return redirect(back)
    return form_page(request, form, f"Előirányzat módosítása: {shown}", back)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_commitment(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Appropriation.objects.select_related("item"), pk=pk)
    form = CommitmentForm(request.POST or None)

    def work() -> None:
        with transaction.atomic():
            made = bookkeeping.commit(shown, **form.cleaned_data, clerk=request.clerk.username)
            activity.record(request, "kötelezettségvállalás", made.number)

    back = reverse("gazd:appropriation", args=[pk])
    if form.is_valid() and done(form, work):
        messages.success(request, "A kötelezettségvállalást rögzítettük. Másnak kell ellenjegyeznie.")
        return redirect(back)
    lead = f"{shown}: a szabad előirányzat {money.shown(shown.free)} Ft."
    return form_page(request, form, "Új kötelezettségvállalás", back, lead=lead)


@require_GET
def commitments(request: HttpRequest) -> HttpResponse:
    context = of_year(request)
    found = Commitment.objects.filter(appropriation__year=context["year"])
    page = Paginator(found.select_related("partner", "appropriation__item"), PAGE).get_page(request.GET.get("oldal"))
    return render(request, "gazd/commitments.html", context | {"page": page})


@require_GET
def commitment(request: HttpRequest, pk: int) -> HttpResponse:
    found = Commitment.objects.select_related("partner", "appropriation__item")
    shown = get_object_or_404(found, pk=pk)
    return render(request, "gazd/commitment.html", {"shown": shown, "invoices": shown.invoice_set.all()})


@needs(COUNTERSIGNER)
@require_POST
def countersign(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Commitment.objects.select_related("appropriation"), pk=pk)
    try:
        with transaction.atomic():
            bookkeeping.countersign(pk, request.clerk.username)
            activity.record(request, "kötelezettségvállalás ellenjegyzése", shown.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A kötelezettségvállalást ellenjegyezte.")
    return redirect("gazd:commitment", pk=pk)


@needs(CLERK)
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Commitment.objects.select_related("appropriation"), pk=pk)
    with transaction.atomic():
        freed = bookkeeping.release(pk)
        if freed:
            activity.record(request, "kötelezettségvállalás felszabadítása", shown.number)
    messages.success(request, f"{money.shown(freed)} Ft került vissza a szabad előirányzatba.")
    return redirect("gazd:commitment", pk=pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an incoming invoice on a commitment."""
    shown = get_object_or_404(Commitment.objects.select_related("partner", "appropriation__item"), pk=pk)
    form, rows = InvoiceForm(request.POST or None), LineSet(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        lines = [(r["text"], r["net"], r["rate"], r["deductible"]) for r in rows.cleaned_data if r]
        days = (data["issued"], data["performed"], data["due"])
        with transaction.atomic():
            made = bookkeeping.record_invoice(shown, data["number"], days, lines, request.clerk.username)
            activity.record(request, "bejövő számla rögzítése", str(made.pk))

    back = reverse("gazd:commitment", args=[pk])
    if form.is_valid() and rows.is_valid() and done(form, work):
        messages.success(request, "A számlát rögzítettük. Másnak kell érvényesítenie és jóváhagynia.")
        return redirect(back)
    lead = f"{shown} – {shown.partner.name}; még számlázható {money.shown(shown.left)} Ft."
    more = {"rows": rows, "lead": lead, "legend": "számlasor"}
    return form_page(request, form, "Bejövő számla rögzítése", back, **more)


@require_GET
def invoices(request: HttpRequest) -> HttpResponse:
    state, query = request.GET.get("allapot", ""), request.GET.get("q", "").strip()[:100]
    found = Invoice.objects.filter(Q(number__icontains=query) | Q(partner__name__icontains=query))
    if state in Invoice.State.values:
        found = found.filter(state=state)
    page = Paginator(found.select_related("partner"), PAGE).get_page(request.GET.get("oldal"))
    context = {"page": page, "states": Invoice.State.choices, "state": state, "query": query}
    return render(request, "gazd/invoices.html", context)


@require_GET
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    return _invoice(request, pk)


def _invoice(request: HttpRequest, pk: int, part_form: PartForm | None = None) -> HttpResponse:
    found = Invoice.objects.select_related("partner", "item", "commitment__appropriation", "posted")
    shown = get_object_or_404(found, pk=pk)
    context = {
        "shown": shown,
        "lines": shown.lines.all(),
        "payments": shown.payments.select_related("voucher__reversal"),
        "form": Dated(),
        "part_form": part_form or PartForm(prefix="resz"),
    }
    return render(request, "gazd/invoice.html", context, status=422 if part_form else 200)


@needs(CLERK)
@require_POST
def pay_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Pay a part of an approved invoice."""
    get_object_or_404(Invoice, pk=pk)
    form = PartForm(request.POST, prefix="resz")

    def work() -> None:
        data = form.cleaned_data
        with transaction.atomic():
            made = bookkeeping.pay_part(pk, data["amount"], data["day"], data["account"].pk, request.clerk.username)
            activity.record(request, "számla részkifizetése", made.shown)

    if form.is_valid() and done(form, work):
        messages.success(request, f"Kifizettünk {money.shown(form.cleaned_data['amount'])} Ft-ot.")
        return redirect("gazd:invoice", pk=pk)
    return _invoice(request, pk, form)


@needs(COUNTERSIGNER)
@require_POST
def validate(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Invoice, pk=pk)
    try:
        with transaction.atomic():
            bookkeeping.validate(pk, request.clerk.username)
            activity.record(request, "számla érvényesítése", str(pk))
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A számlát érvényesítette. Másnak kell jóváhagynia.")
    return redirect("gazd:invoice", pk=pk)


@needs(APPROVER)
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Invoice, pk=pk)
    form = Dated(request.POST)
    try:
        if not form.is_valid():
            raise NotPossible("A könyvelés napja hibás.")
        with transaction.atomic():
            made = bookkeeping.approve(pk, form.cleaned_data["day"], request.clerk.username)
            activity.record(request, "számla jóváhagyása", made.shown)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, f"A számlát jóváhagytuk, lekönyveltük: {made.shown}.")
    return redirect("gazd:invoice", pk=pk)


@needs(APPROVER)
@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Invoice, pk=pk)
    try:
        with transaction.atomic():
            bookkeeping.reject(pk, request.clerk.username)
            activity.record(request, "számla visszautasítása", str(pk))
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A számlát visszautasítottuk.")
    return redirect("gazd:invoice", pk=pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def payment(request: HttpRequest) -> HttpResponse:
    """The payment order: approved invoices by their due days; the chosen ones are paid together."""
    waiting = list(Invoice.objects.filter(state=Invoice.State.APPROVED).select_related("partner"))
    chosen = {int(pk) for pk in request.POST.getlist("szamla") if pk.isascii() and pk.isdigit()}
    form = PaymentForm(request.POST or None)

    def work() -> None:
        if not chosen:
            raise NotPossible("Jelölje meg, melyik számlákat fizeti ki.")
        if not chosen <= {found.pk for found in waiting}:
            raise NotPossible("A megjelöltek között van olyan számla, amely már nem vár fizetésre. Ellenőrizze újra.")
        data = form.cleaned_data
        with transaction.atomic():
            for made in bookkeeping.pay(list(chosen), data["day"], data["account"].pk, request.clerk.username):
                activity.record(request, "számla kifizetése", made.shown)

    if form.is_valid() and done(form, work):
        messages.success(request, f"{len(chosen)} számlát kifizettünk.")
        return redirect("gazd:payment")
    total = sum(found.left for found in waiting)
    context = {"form": form, "waiting": waiting, "chosen": chosen, "total": total}
    return render(request, "gazd/payment.html", context, status=422 if form.is_bound else 200)


@require_GET
def partners(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    found = Partner.objects.filter(Q(name__icontains=query) | Q(tax_number__startswith=query))
    page = Paginator(found, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "gazd/partners.html", {"page": page, "query": query})


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_partner(request: HttpRequest) -> HttpResponse:
    form = PartnerForm(request.POST or None)

    def work() -> None:
        made = form.save(commit=False)
        with transaction.atomic():
            bookkeeping.add_partner(made)
            activity.record(request, "partner felvétele", made.tax_number)

    if form.is_valid() and done(form, work):
        messages.success(request, "A partnert felvettük.")
        return redirect("gazd:partners")
    return form_page(request, form, "Új partner", reverse("gazd:partners"))

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
from systems.core.errors import NotPossible
from systems.gazd import bookkeeping, years
from systems.gazd.forms import (
    AppropriationForm,
    CommitmentForm,
    DayForm,
    InvoiceForm,
    LineSet,
    ModificationForm,
    PartForm,
    PartnerForm,
    PaymentForm,
    YearForm,
)
from systems.gazd.models import Appropriation, Commitment, FiscalYear, Invoice, Partner
from systems.gazd.pages import APPROVER, CLERK, COUNTERSIGNER, PAGE, form_page, perform, year_context
from systems.shell import activity


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The budget of a year."""
    context = year_context(request)
    budget = list(Appropriation.objects.filter(year=context["year"]).select_related("item"))
    sides = [(side, [row for row in budget if row.item.side == side]) for side in ("revenue", "expense")]
    totals = {side: sum(row.modified for row in rows) for side, rows in sides}
    return render(request, "gazd/index.html", context | {"sides": sides, "totals": totals})


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_year(request: HttpRequest) -> HttpResponse:
    form = YearForm(request.POST or None, initial={"year": timezone.localdate().year})

    def work() -> None:
        with transaction.atomic():
            books = years.open_year(form.cleaned_data["year"], request.clerk.username)
            activity.record(request, "költségvetési év megnyitása", str(books.year))

    if form.is_valid() and perform(form, work):
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
            appropriation = bookkeeping.appropriate(books, data["item"], data["original"])
            activity.record(request, "előirányzat felvétele", f"{year}/{appropriation.item_id}")

    back = f"{reverse('gazd:index')}?ev={year}"
    if form.is_valid() and perform(form, work):
        messages.success(request, "Az előirányzatot felvettük.")
        return redirect(back)
    return form_page(request, form, f"Új előirányzat: {year}", back)


@require_GET
def appropriation(request: HttpRequest, pk: int) -> HttpResponse:
    appropriation = get_object_or_404(Appropriation.objects.select_related("item"), pk=pk)
    commitments = appropriation.commitment_set.select_related("partner", "appropriation")
    context = {
        "appropriation": appropriation,
        "modifications": appropriation.modifications.all(),
        "commitments": commitments,
    }
    return render(request, "gazd/appropriation.html", context)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def modify(request: HttpRequest, pk: int) -> HttpResponse:
    appropriation = get_object_or_404(Appropriation.objects.select_related("item"), pk=pk)
    form = ModificationForm(request.POST or None)

    def work() -> None:
        with transaction.atomic():
            bookkeeping.modify(pk, **form.cleaned_data, clerk=request.clerk.username)
            activity.record(request, "előirányzat módosítása", f"{appropriation.year_id}/{appropriation.item_id}")

    back = reverse("gazd:appropriation", args=[pk])
    if form.is_valid() and perform(form, work):
        messages.success(request, "Az előirányzatot módosítottuk.")
        return redirect(back)
    return form_page(request, form, f"Előirányzat módosítása: {appropriation}", back)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_commitment(request: HttpRequest, pk: int) -> HttpResponse:
    appropriation = get_object_or_404(Appropriation.objects.select_related("item"), pk=pk)
    form = CommitmentForm(request.POST or None)

    def work() -> None:
        with transaction.atomic():
            commitment = bookkeeping.commit(appropriation, **form.cleaned_data, clerk=request.clerk.username)
            activity.record(request, "kötelezettségvállalás", commitment.number)

    back = reverse("gazd:appropriation", args=[pk])
    if form.is_valid() and perform(form, work):
        messages.success(request, "A kötelezettségvállalást rögzítettük. Másnak kell ellenjegyeznie.")
        return redirect(back)
    lead = f"{appropriation}: a szabad előirányzat {money.to_text(appropriation.free)} Ft."
    return form_page(request, form, "Új kötelezettségvállalás", back, lead=lead)


@require_GET
def commitments(request: HttpRequest) -> HttpResponse:
    context = year_context(request)
    commitments = Commitment.objects.filter(appropriation__year=context["year"])
    page = Paginator(commitments.select_related("partner", "appropriation__item"), PAGE).get_page(
        request.GET.get("oldal")
    )
    return render(request, "gazd/commitments.html", context | {"page": page})


@require_GET
def commitment(request: HttpRequest, pk: int) -> HttpResponse:
    commitments = Commitment.objects.select_related("partner", "appropriation__item")
    commitment = get_object_or_404(commitments, pk=pk)
    return render(request, "gazd/commitment.html", {"commitment": commitment, "invoices": commitment.invoice_set.all()})


@needs(COUNTERSIGNER)
@require_POST
def countersign(request: HttpRequest, pk: int) -> HttpResponse:
    commitment = get_object_or_404(Commitment.objects.select_related("appropriation"), pk=pk)
    try:
        with transaction.atomic():
            bookkeeping.countersign(pk, request.clerk.username)
            activity.record(request, "kötelezettségvállalás ellenjegyzése", commitment.number)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A kötelezettségvállalást ellenjegyezte.")
    return redirect("gazd:commitment", pk=pk)


@needs(CLERK)
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    commitment = get_object_or_404(Commitment.objects.select_related("appropriation"), pk=pk)
    with transaction.atomic():
        amount = bookkeeping.release(pk)
        if amount:
            activity.record(request, "kötelezettségvállalás felszabadítása", commitment.number)
    messages.success(request, f"{money.to_text(amount)} Ft került vissza a szabad előirányzatba.")
    return redirect("gazd:commitment", pk=pk)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an incoming invoice on a commitment."""
    commitment = get_object_or_404(Commitment.objects.select_related("partner", "appropriation__item"), pk=pk)
    form, rows = InvoiceForm(request.POST or None), LineSet(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        lines = [(r["text"], r["net"], r["rate"], r["deductible"]) for r in rows.cleaned_data if r]
        days = (data["issued"], data["performed"], data["due"])
        with transaction.atomic():
            invoice = bookkeeping.record_invoice(commitment, data["number"], days, lines, request.clerk.username)
            activity.record(request, "bejövő számla rögzítése", str(invoice.pk))

    back = reverse("gazd:commitment", args=[pk])
    if form.is_valid() and rows.is_valid() and perform(form, work):
        messages.success(request, "A számlát rögzítettük. Másnak kell érvényesítenie és jóváhagynia.")
        return redirect(back)
    lead = f"{commitment} – {commitment.partner.name}; még számlázható {money.to_text(commitment.open_amount)} Ft."
    more = {"rows": rows, "lead": lead, "legend": "számlasor"}
    return form_page(request, form, "Bejövő számla rögzítése", back, **more)


@require_GET
def invoices(request: HttpRequest) -> HttpResponse:
    state, query = request.GET.get("allapot", ""), request.GET.get("q", "").strip()[:100]
    invoices = Invoice.objects.filter(Q(number__icontains=query) | Q(partner__name__icontains=query))
    if state in Invoice.State.values:
        invoices = invoices.filter(state=state)
    page = Paginator(invoices.select_related("partner"), PAGE).get_page(request.GET.get("oldal"))
    context = {"page": page, "states": Invoice.State.choices, "state": state, "query": query}
    return render(request, "gazd/invoices.html", context)


@require_GET
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    return _invoice(request, pk)


def _invoice(request: HttpRequest, pk: int, part_form: PartForm | None = None) -> HttpResponse:
    invoices = Invoice.objects.select_related("partner", "item", "commitment__appropriation", "posted")
    invoice = get_object_or_404(invoices, pk=pk)
    context = {
        "invoice": invoice,
        "lines": invoice.lines.all(),
        "payments": invoice.payments.select_related("voucher__reversal"),
        "form": DayForm(),
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
            voucher = bookkeeping.pay_part(pk, data["amount"], data["day"], data["account"].pk, request.clerk.username)
            activity.record(request, "számla részkifizetése", voucher.label)

    if form.is_valid() and perform(form, work):
        messages.success(request, f"Kifizettünk {money.to_text(form.cleaned_data['amount'])} Ft-ot.")
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
    form = DayForm(request.POST)
    try:
        if not form.is_valid():
            raise NotPossible("A könyvelés napja hibás.")
        with transaction.atomic():
            voucher = bookkeeping.approve(pk, form.cleaned_data["day"], request.clerk.username)
            activity.record(request, "számla jóváhagyása", voucher.label)
    except NotPossible as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, f"A számlát jóváhagytuk, lekönyveltük: {voucher.label}.")
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
    """The payment order: approved invoices by due day; the selected ones are paid together."""
    payable = list(Invoice.objects.filter(state=Invoice.State.APPROVED).select_related("partner"))
    selection = {int(pk) for pk in request.POST.getlist("szamla") if pk.isascii() and pk.isdigit()}
    form = PaymentForm(request.POST or None)

    def work() -> None:
        if not selection:
            raise NotPossible("Jelölje meg, melyik számlákat fizeti ki.")
        if not selection <= {invoice.pk for invoice in payable}:
            raise NotPossible("A megjelöltek között van olyan számla, amely már nem vár fizetésre. Ellenőrizze újra.")
        data = form.cleaned_data
        with transaction.atomic():
            for voucher in bookkeeping.pay(list(selection), data["day"], data["account"].pk, request.clerk.username):
                activity.record(request, "számla kifizetése", voucher.label)

    if form.is_valid() and perform(form, work):
        messages.success(request, f"{len(selection)} számlát kifizettünk.")
        return redirect("gazd:payment")
    total = sum(invoice.open_amount for invoice in payable)
    context = {"form": form, "payable": payable, "selection": selection, "total": total}
    return render(request, "gazd/payment.html", context, status=422 if form.is_bound else 200)


@require_GET
def partners(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:100]
    partners = Partner.objects.filter(Q(name__icontains=query) | Q(tax_number__startswith=query))
    page = Paginator(partners, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "gazd/partners.html", {"page": page, "query": query})


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_partner(request: HttpRequest) -> HttpResponse:
    form = PartnerForm(request.POST or None)

    def work() -> None:
        partner = form.save(commit=False)
        with transaction.atomic():
            bookkeeping.add_partner(partner)
            activity.record(request, "partner felvétele", partner.tax_number)

    if form.is_valid() and perform(form, work):
        messages.success(request, "A partnert felvettük.")
        return redirect("gazd:partners")
    return form_page(request, form, "Új partner", reverse("gazd:partners"))

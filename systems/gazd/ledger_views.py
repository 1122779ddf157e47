"""The ledger's pages: vouchers, their reversal, statements, closing."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from systems.core.access import needs
from systems.core.sheets import sheet
from systems.gazd import bookkeeping, reports, years
from systems.gazd.bookkeeping import Line
from systems.gazd.forms import ClosingForm, DayForm, EntrySet, PeriodForm, ReceiptForm, VoucherForm
from systems.gazd.models import FiscalYear, VatRate, Voucher
from systems.gazd.pages import CLERK, PAGE, form_page, perform, year_context
from systems.shell import activity


@require_GET
def vouchers(request: HttpRequest) -> HttpResponse:
    context = year_context(request)
    vouchers = Voucher.objects.filter(year=context["year"])
    page = Paginator(vouchers, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "gazd/vouchers.html", context | {"page": page})


@require_GET
def voucher(request: HttpRequest, pk: int) -> HttpResponse:
    vouchers = Voucher.objects.select_related("reverses", "reversal")
    voucher = get_object_or_404(vouchers, pk=pk)
    entries = voucher.entries.select_related("account", "item")
    return render(request, "gazd/voucher.html", {"voucher": voucher, "entries": entries})


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_voucher(request: HttpRequest) -> HttpResponse:
    """A voucher by hand; its two sides must agree."""
    form, rows = VoucherForm(request.POST or None), EntrySet(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        lines = [
            Line(r["account"].pk, r["debit"] or 0, r["credit"] or 0, r["item"].pk if r["item"] else None)
            for r in rows.cleaned_data
            if r
        ]
        with transaction.atomic():
            kind, clerk = Voucher.Kind.OTHER, request.clerk.username
            voucher = bookkeeping.post(kind, data["day"], data["text"], lines, clerk, token=data["token"])
            activity.record(request, "könyvelés", voucher.label)

    back = reverse("gazd:vouchers")
    if form.is_valid() and rows.is_valid() and perform(form, work):
        messages.success(request, "A bizonylatot lekönyveltük.")
        return redirect(back)
    lead = "Pénztár és bankszámla tételének a rovatát is adja meg; csak a köztük való átvezetésnek nem kell."
    more = {"rows": rows, "legend": "tétel", "submit": "Könyvelés", "lead": lead}
    return form_page(request, form, "Vegyes bizonylat", back, **more)


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def new_receipt(request: HttpRequest) -> HttpResponse:
    form = ReceiptForm(request.POST or None)

    def work() -> None:
        data = form.cleaned_data
        with transaction.atomic():
            voucher = bookkeeping.receive(
                data["item"],
                data["amount"],
                data["day"],
                data["account"].pk,
                data["text"],
                request.clerk.username,
                data["token"],
            )
            activity.record(request, "bevétel könyvelése", voucher.label)

    back = reverse("gazd:vouchers")
    if form.is_valid() and perform(form, work):
        messages.success(request, "A bevételt lekönyveltük.")
        return redirect(back)
    return form_page(request, form, "Bevétel könyvelése", back, submit="Könyvelés")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def reverse_voucher(request: HttpRequest, pk: int) -> HttpResponse:
    voucher, form = get_object_or_404(Voucher, pk=pk), DayForm(request.POST or None)

    def work() -> None:
        with transaction.atomic():
            reversal = bookkeeping.reverse(pk, form.cleaned_data["day"], request.clerk.username)
            activity.record(request, "storno", reversal.label)

    back = reverse("gazd:voucher", args=[pk])
    if form.is_valid() and perform(form, work):
        messages.success(request, "A bizonylatot stornóztuk.")
        return redirect(back)
    lead = "A bizonylat megmarad; ellenkező előjelű párja kerül a könyvekbe."
    return form_page(request, form, f"Storno: {voucher.label}", back, lead=lead, submit="Stornózás")


@require_GET
def reports_page(request: HttpRequest) -> HttpResponse:
    """Trial balance and cash report of a year."""
    context = year_context(request)
    year = context["year"]
    if year is not None:
        balances = reports.trial_balance(year)
        names = ("debit", "credit", "debit_balance", "credit_balance")
        context |= {
            "balances": balances,
            "sums": {name: sum(getattr(row, name) for row in balances) for name in names},
            "items": reports.cash_report(year),
            "cash": reports.cash_change(year),
            "books": FiscalYear.objects.get(pk=year),
        }
    return render(request, "gazd/reports.html", context)


def _year(request: HttpRequest) -> int:
    year = year_context(request)["year"]
    if year is None:
        raise Http404
    return year


@require_GET
def trial_balance_sheet(request: HttpRequest) -> HttpResponse:
    year = _year(request)
    rows = [
        (b.account.code, b.account.name, b.debit, b.credit, b.debit_balance, b.credit_balance)
        for b in reports.trial_balance(year)
    ]
    head = ["Számla", "Megnevezés", "Tartozik forgalom", "Követel forgalom", "Tartozik egyenleg", "Követel egyenleg"]
    total = ("", "Összesen", *(sum(row[n] for row in rows) for n in range(2, 6)))
    return sheet(f"fokonyvi-kivonat-{year}", head, [*rows, total], "Főkönyvi kivonat")


@require_GET
def cash_report_sheet(request: HttpRequest) -> HttpResponse:
    year = _year(request)
    rows = [
        (row.item.code, row.item.name, row.item.get_side_display(), row.original, row.modified, row.actual)
        for row in reports.cash_report(year)
    ]
    head = ["Rovat", "Megnevezés", "Oldal", "Eredeti előirányzat", "Módosított előirányzat", "Teljesítés"]
    if other := reports.cash_without_item(year):
        rows.append(("", "Rovat nélküli pénzmozgás", "", "", "", other))
    rows.append(("", "Pénzeszközök változása", "", "", "", reports.cash_change(year)))
    return sheet(f"penzforgalmi-jelentes-{year}", head, rows, "Pénzforgalmi jelentés")


VAT_HEAD = ["Áfakulcs", "Nettó", "Áfa", "Ebből levonható", "Ebből nem levonható"]


def _vat_rows(form: PeriodForm) -> list[tuple[str, int, int, int, int]]:
    """Lines of the VAT summary of a valid form's period, and their total."""
    summary = reports.vat_summary(form.cleaned_data["tol"], form.cleaned_data["ig"])
    rows = [(f"{row.percent} %", row.net, row.vat, row.deductible, row.nondeductible) for row in summary]
    return [*rows, ("Összesen", *(sum(row[n] for row in rows) for n in range(1, 5)))]


@require_GET
def vat(request: HttpRequest) -> HttpResponse:
    """VAT of posted incoming invoices in a period."""
    form = PeriodForm(request.GET.dict())
    rows = _vat_rows(form) if form.is_valid() else []
    context = {
        "form": form,
        "head": VAT_HEAD,
        "rows": rows,
        "period": form.cleaned_data,
        "rates": VatRate.objects.all(),
    }
    return render(request, "gazd/vat.html", context, status=422 if form.errors else 200)


@require_GET
def vat_sheet(request: HttpRequest) -> HttpResponse:
    form = PeriodForm(request.GET.dict())
    if not form.is_valid():
        raise Http404
    name = f"afa-{form.cleaned_data['tol']}-{form.cleaned_data['ig']}"
    return sheet(name, VAT_HEAD, _vat_rows(form), "Áfaösszesítő")


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, year: int) -> HttpResponse:
    get_object_or_404(FiscalYear, pk=year)
    form = ClosingForm(request.POST or None)

    def work() -> None:
        with transaction.atomic():
            years.close_through(year, form.cleaned_data["day"], request.clerk.username)
            activity.record(request, "időszak zárása", form.cleaned_data["day"].isoformat())

    back = f"{reverse('gazd:reports')}?ev={year}"
    if form.is_valid() and perform(form, work):
        messages.success(request, "Az időszakot lezártuk.")
        return redirect(back)
    return form_page(request, form, f"Időszak zárása: {year}", back, submit="Lezárás")

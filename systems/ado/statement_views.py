"""Bank statements: upload, review, book, and resolve the transfers of unknown taxpayers."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from systems.ado import statements
from systems.ado.models import Statement, StatementLine, Tax, Taxpayer
from systems.ado.views import CLERK
from systems.core import money, uploads
from systems.core.access import needs
from systems.core.forms import FormMixin
from systems.shared.bodies import MIB, STATEMENT
from systems.shell import activity

PAGE = 50


class UploadForm(FormMixin, forms.Form):
    file = forms.FileField(
        label="bankkivonat",
        help_text=f"CSV-fájl pontosvesszővel tagolva: {';'.join(statements.COLUMNS)}. "
        f"Legfeljebb {STATEMENT // MIB} MB.",
    )


class AssignForm(FormMixin, forms.Form):
    """The taxpayer of an unknown transfer."""

    identifier = forms.CharField(label="adóazonosító", max_length=20)
    tax = forms.ModelChoiceField(
        Tax.objects, label="adónem", required=False, empty_label="a legrégebbi tartozásokra, bármelyik adónemben"
    )

    def clean_identifier(self) -> Taxpayer:
        text = self.cleaned_data["identifier"].strip()
        taxpayer = Taxpayer.objects.filter(identifier=text).first()
        if not taxpayer:
            raise forms.ValidationError("Ilyen adóazonosítóval nincs adózó. Előbb vegye fel.")
        return taxpayer


class ReturnedForm(FormMixin, forms.Form):
    """When and why an unknown transfer was sent back."""

    day = forms.DateField(label="visszautalás napja", initial=timezone.localdate)
    note = forms.CharField(label="megjegyzés", max_length=300)

    def clean_day(self) -> dt.date:
        if self.cleaned_data["day"] > timezone.localdate():
            raise forms.ValidationError("A visszautalás napja nem lehet a jövőben.")
        return self.cleaned_data["day"]


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Statements, newest first, and the number of unclear transfers."""
    page = Paginator(Statement.objects.annotate(count=Count("lines")).order_by("-uploaded_at"), PAGE).get_page(
        request.GET.get("oldal")
    )
    return render(request, "ado/statements.html", {"page": page, "unclear": StatementLine.unclear().count()})


@needs(CLERK)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            with transaction.atomic():
                statement = statements.take(uploads.content(file), file.name, request.clerk.name)
                activity.record(request, "bankkivonat beolvasása", statement.sha256[:12])
        except statements.StatementFault as fault:
            form.add_error("file", list(fault.lines))
        else:
            return redirect("ado:statement", pk=statement.pk)
    context = {"form": form, "title": "Bankkivonat beolvasása", "submit": "Beolvasás", "back": "."}
    lead = "A beolvasás még semmit nem könyvel: előbb soronként megmutatja, melyik befizetés kié."
    return render(request, "core/form.html", context | {"lead": lead, "failed": "A kivonatot nem olvastuk be"},
                  status=422 if form.errors else 200)  # fmt: skip


@require_GET
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    """A statement's lines with their verdicts."""
    statement = get_object_or_404(Statement, pk=pk)
    lines = statement.lines.select_related("taxpayer")
    labels = dict(StatementLine.Verdict.choices)
    sums = lines.order_by("verdict").values("verdict").annotate(count=Count("id"), amount=Sum("amount"))
    context = {
        "statement": statement,
        "page": Paginator(lines, PAGE).get_page(request.GET.get("oldal")),
        "sums": [(labels[row["verdict"]], row["count"], row["amount"]) for row in sums],
    }
    return render(request, "ado/statement.html", context)


@needs(CLERK)
@require_POST
def book(request: HttpRequest, pk: int) -> HttpResponse:
    statement = get_object_or_404(Statement, pk=pk)
    try:
        with transaction.atomic():
            count, amount = statements.book(pk, request.clerk.name)
            activity.record(request, "bankkivonat könyvelése", f"{statement.sha256[:12]}: {count} tétel")
    except statements.StatementFault as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, f"{count} befizetést könyveltünk, összesen {money.to_text(amount)} Ft.")
    return redirect("ado:statement", pk=pk)


@needs(CLERK)
@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    statement = get_object_or_404(Statement, pk=pk)
    try:
        with transaction.atomic():
            statements.drop(pk)
            activity.record(request, "bankkivonat elvetése", statement.sha256[:12])
    except statements.StatementFault as fault:
        messages.error(request, str(fault))
        return redirect("ado:statement", pk=pk)
    messages.success(request, "A kivonatot elvetettük, semmit nem könyveltünk belőle.")
    return redirect("ado:statements")


@require_GET
def unclear(request: HttpRequest) -> HttpResponse:
    """Transfers whose taxpayer is not known yet, oldest first."""
    lines = StatementLine.unclear()
    page = Paginator(lines, PAGE).get_page(request.GET.get("oldal"))
    return render(request, "ado/unclear.html", {"page": page, "total": lines.aggregate(n=Sum("amount"))["n"] or 0})


@needs(CLERK)
@require_GET
def line(request: HttpRequest, pk: int) -> HttpResponse:
    """One unknown transfer, to be assigned or recorded as sent back."""
    return _line(request, get_object_or_404(StatementLine, pk=pk), AssignForm(), ReturnedForm(prefix="vissza"))


@needs(CLERK)
@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    line, form = get_object_or_404(StatementLine, pk=pk), AssignForm(request.POST)
    if not form.is_valid():
        return _line(request, line, form, ReturnedForm(prefix="vissza"), 422)
    taxpayer, tax = form.cleaned_data["identifier"], form.cleaned_data["tax"]
    return _clear(
        request, line, "tisztázatlan befizetés hozzárendelése",
        lambda: statements.assign(pk, taxpayer, request.clerk.name, tax),
    )  # fmt: skip


@needs(CLERK)
@require_POST
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    line, form = get_object_or_404(StatementLine, pk=pk), ReturnedForm(request.POST, prefix="vissza")
    if not form.is_valid():
        return _line(request, line, AssignForm(), form, 422)
    data = form.cleaned_data
    return _clear(
        request, line, "tisztázatlan befizetés visszautalása",
        lambda: statements.send_back(pk, data["day"], data["note"]),
    )  # fmt: skip


def _clear(request: HttpRequest, line: StatementLine, action: str, deed) -> HttpResponse:
    try:
        with transaction.atomic():
            deed()
            activity.record(request, action, line.reference)
    except statements.StatementFault as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, "A tételt rendeztük.")
    return redirect("ado:unclear")


def _line(request: HttpRequest, line: StatementLine, assign_form, return_form, status: int = 200) -> HttpResponse:
    context = {"line": line, "assign_form": assign_form, "return_form": return_form}
    return render(request, "ado/statement_line.html", context, status=status)

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.utils import timezone

from systems.core.forms import FormMixin, TokenField
from systems.core.money import ForintFormField
from systems.gazd import bookkeeping
from systems.gazd.models import Account, Appropriation, Item, Partner, VatRate
from systems.shared import identifiers

ROWS = 6  # rows of a voucher or an invoice in a form


class AmountField(ForintFormField):
    """Forints above zero."""

    def __init__(self, **options):
        message = "Az összeg nagyobb legyen nullánál."
        super().__init__(min_value=1, error_messages={"min_value": message}, **options)


class DayForm(FormMixin, forms.Form):
    """A form with a day of posting, by default today."""

    day = forms.DateField(label="nap", initial=timezone.localdate)


class YearForm(FormMixin, forms.Form):
    year = forms.IntegerField(label="év", min_value=2014, max_value=2100)


class AppropriationForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Appropriation
        fields = ["item", "original"]

    def clean_original(self) -> int:
        if self.cleaned_data["original"] < 0:
            raise forms.ValidationError("Az előirányzat nem lehet negatív.")
        return self.cleaned_data["original"]


class ModificationForm(DayForm):
    amount = ForintFormField(label="változás", help_text="Csökkentésnél negatív, például: -50 000.")
    decision = forms.CharField(label="határozat száma", max_length=60)
    token = TokenField()


class PartnerForm(FormMixin, forms.ModelForm):
    class Meta:
        model = Partner
        fields = ["name", "tax_number", "address", "bank_account"]
        error_messages = {"tax_number": {"unique": bookkeeping.PARTNER_TWICE}}

    def clean_tax_number(self) -> str:
        try:
            return identifiers.identifier(self.cleaned_data["tax_number"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class CommitmentForm(DayForm):
    partner = forms.ModelChoiceField(Partner.objects, label="partner")
    subject = forms.CharField(label="tárgy", max_length=200)
    amount = AmountField(label="bruttó összeg")
    token = TokenField()
    field_order = ["partner", "subject", "day", "amount"]


class InvoiceForm(FormMixin, forms.Form):
    number = forms.CharField(label="számla száma", max_length=60)
    issued = forms.DateField(label="kelte")
    performed = forms.DateField(label="teljesítés")
    due = forms.DateField(label="fizetési határidő")

    def clean(self):
        data = super().clean()
        issued, due = data.get("issued"), data.get("due")
        if issued and due and due < issued:
            self.add_error("due", "A határidő nem lehet korábbi, mint a számla kelte.")
        return data


class InvoiceLineForm(FormMixin, forms.Form):
    text = forms.CharField(label="megnevezés", max_length=200)
    net = ForintFormField(label="nettó (Ft)")
    rate = forms.ModelChoiceField(VatRate.objects, label="áfakulcs")
    deductible = forms.BooleanField(label="levonható áfa", required=False)


class EntryForm(FormMixin, forms.Form):
    account = forms.ModelChoiceField(Account.objects, label="számla")
    debit = AmountField(label="tartozik (Ft)", required=False)
    credit = AmountField(label="követel (Ft)", required=False)
    item = forms.ModelChoiceField(Item.objects, label="rovat", required=False)

    def clean(self):
        data = super().clean()
        if not self.errors and bool(data.get("debit")) == bool(data.get("credit")):
            raise forms.ValidationError("Egy sorban vagy tartozik, vagy követel összeg legyen.")
        return data


class VoucherForm(DayForm):
    text = forms.CharField(label="szöveg", max_length=200)
    token = TokenField()


class ReceiptForm(DayForm):
    item = forms.ModelChoiceField(Item.objects.filter(side=Item.Side.REVENUE), label="rovat")
    account = forms.ModelChoiceField(Account.objects.filter(cash=True), label="hová érkezett")
    amount = AmountField(label="összeg")
    text = forms.CharField(label="szöveg", max_length=200)
    token = TokenField()


class PaymentForm(DayForm):
    account = forms.ModelChoiceField(Account.objects.filter(cash=True), label="honnan")


class PartForm(PaymentForm):
    """The payment of a part of an invoice."""

    amount = AmountField(label="összeg")


class PeriodForm(FormMixin, forms.Form):
    """A period; by default this year so far."""

    tol = forms.DateField(label="ettől a naptól")
    ig = forms.DateField(label="eddig a napig")

    def __init__(self, values: Mapping[str, str]):
        today = timezone.localdate()
        super().__init__({"tol": today.replace(month=1, day=1), "ig": today} | values)

    def clean(self):
        data = super().clean()
        if not self.errors and data["ig"] < data["tol"]:
            self.add_error("ig", "A második nap nem lehet korábbi, mint az első.")
        return data


class ClosingForm(FormMixin, forms.Form):
    day = forms.DateField(label="lezárás eddig a napig", help_text="A lezárt időszak nem nyitható meg újra.")


LineSet = forms.formset_factory(InvoiceLineForm, extra=ROWS, max_num=ROWS, validate_max=True)
EntrySet = forms.formset_factory(EntryForm, extra=ROWS, max_num=ROWS, validate_max=True)


def year_to_show(text: str, years: list[int]) -> int | None:
    """The year in the address if it has books, else this year, else the newest."""
    this_year = timezone.localdate().year
    explicit = [int(text)] if text.isascii() and text.isdigit() and len(text) == 4 else []
    return next((year for year in [*explicit, this_year, *years] if year in years), None)

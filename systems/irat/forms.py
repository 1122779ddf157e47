from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence

from django import forms
from django.utils import timezone

from systems.core.forms import FormMixin, TokenField
from systems.irat.models import ArchiveItem, Case, Document, Incoming, Outgoing, Way
from systems.shared.bodies import KRX, LETTER, MIB

MAIN = re.compile(r"([^/]{1,10})/([0-9]{4})/([0-9]{1,9})(?:-[0-9]+)?")
EARLIEST_YEAR = 1990  # the first municipalities; an earlier day of arrival is a typing error


class DocumentForm(forms.ModelForm):
    """An incoming document as a clerk enters it; it gets its number at registration.

    `registers`: prefixes to choose from for a new main number; a single one is not asked for.
    """

    token = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=uuid.uuid4,
        error_messages=dict.fromkeys(["required", "invalid"], "Az űrlap hiányos. Nyissa meg újra, és töltse ki ismét."),
    )

    class Meta:
        model = Document
        fields = ["sender", "subject", "arrival", "received_on", "note"]
        widgets = {
            "received_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "note": forms.Textarea(attrs={"rows": 3}),
        }
        error_messages = {
            "sender": {"required": "Adja meg a küldő nevét."},
            "subject": {"required": "Adja meg az irat tárgyát."},
            "received_on": {"required": "Adja meg az érkezés napját.", "invalid": "A dátum alakja: 2026-01-31."},
        }

    def __init__(self, *args, registers: Sequence[str] = (), **kwargs):
        super().__init__(*args, **kwargs)
        if len(registers) > 1:
            self.fields["register"] = forms.ChoiceField(label="Iktatókönyv", choices=[(r, r) for r in registers])
        self.fields["received_on"].initial = timezone.localdate
        self.fields["received_on"].input_formats = ["%Y-%m-%d", "%Y. %m. %d.", "%Y.%m.%d."]

    def clean_received_on(self):
        day = self.cleaned_data["received_on"]
        if day > timezone.localdate():
            raise forms.ValidationError("Az érkezés napja nem lehet a jövőben.")
        if day.year < EARLIEST_YEAR:
            raise forms.ValidationError("Ellenőrizze az évszámot.")
        return day


class ArrivalForm(DocumentForm):
    """The registration of an item of the arrival book."""

    main = forms.CharField(
        label="főszám",
        required=False,
        help_text="Ha már iktatott ügyhöz tartozik, annak főszáma, például IKT/2026/12; különben hagyja üresen.",
    )

    def clean_main(self):
        """The key of the case; None for a new main number. A document's full number stands for its case."""
        number = self.cleaned_data["main"].strip()
        if not number:
            return None
        parts = MAIN.fullmatch(number.upper())
        case = parts and Case.objects.filter(register__prefix=parts[1], register__year=parts[2], main=parts[3]).first()
        if not case:
            raise forms.ValidationError(f"Nincs ilyen főszám: {number}.")
        return case.pk


class IncomingForm(FormMixin, forms.ModelForm):
    """An item of the arrival book."""

    token = TokenField()

    class Meta:
        model = Incoming
        fields = ["sender", "subject", "arrival", "received_on"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["received_on"].initial = timezone.localdate

    clean_received_on = DocumentForm.clean_received_on


class AttachmentForm(FormMixin, forms.Form):
    """A file that belongs to a registered document, such as the scan of a letter."""

    file = forms.FileField(
        label="csatolmány",
        max_length=200,
        help_text=f"Például a papíron érkezett irat beolvasott képe; legfeljebb {LETTER // MIB} MB.",
        error_messages={"empty": "A kiválasztott fájl üres.", "max_length": "A fájl neve legfeljebb 200 betű lehet."},
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > LETTER:
            raise forms.ValidationError(f"A fájl legfeljebb {LETTER // MIB} MB lehet.")
        return file


class RegisterForm(FormMixin, forms.Form):
    """A further register, of this year or the next."""

    prefix = forms.RegexField(
        r"\A[A-ZÁÉÍÓÖŐÚÜŰ]{1,10}\Z",
        label="az iktatókönyv jele",
        help_text="Az iktatószámok ezzel kezdődnek. Legfeljebb tíz nagybetű.",
        error_messages={"invalid": "Legfeljebb tíz nagybetű lehet."},
    )
    year = forms.TypedChoiceField(label="év", coerce=int)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        year = timezone.localdate().year
        self.fields["year"].choices = [(y, y) for y in (year, year + 1)]


class KrxForm(FormMixin, forms.Form):
    """A package that another office sent."""

    package = forms.FileField(
        label="KRX-csomag", help_text=f"A Hivatali Kapun kapott fájl (KRX vagy ZIP), legfeljebb {KRX // MIB} MB."
    )


class KrxSendForm(FormMixin, forms.Form):
    """Which documents of a case go to whom in a package."""

    addressee = forms.CharField(label="címzett neve", max_length=200)
    ksh = forms.RegexField(
        r"\A[0-9]{5}\Z",
        label="címzett KSH-kódja",
        required=False,
        help_text="Ha a címzett önkormányzat: öt számjegy. Más önkormányzat a csomagot akkor nem tudja érkeztetni.",
        error_messages={"invalid": "A KSH-kód öt számjegy."},
    )
    documents = forms.ModelMultipleChoiceField(
        label="iratok", queryset=Document.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, case: Case, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["documents"]
        field.queryset = case.documents.order_by("sub")
        field.label_from_instance = lambda document: f"{document.number} – {document.subject}"
        field.error_messages["required"] = "Válasszon legalább egy iratot."


class SendBackForm(FormMixin, forms.Form):
    reason = forms.CharField(label="visszaküldés oka", max_length=300)


def _not_past(day: dt.date) -> dt.date:
    if day < timezone.localdate():
        raise forms.ValidationError("A határidő nem lehet a múltban.")
    return day


class AssignForm(FormMixin, forms.Form):
    """To whom a case is assigned, and by when it must be settled."""

    assignee = forms.ChoiceField(label="ügyintéző")
    deadline = forms.DateField(label="határidő", help_text="Ajánlott: az általános ügyintézési határidő szerint.")
    note = forms.CharField(label="utasítás", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, clerks: dict[str, str], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["assignee"].choices = [(username, f"{name} ({username})") for username, name in clerks.items()]

    def clean_deadline(self):
        return _not_past(self.cleaned_data["deadline"])


class DeadlineForm(FormMixin, forms.Form):
    deadline = forms.DateField(label="új határidő")
    reason = forms.CharField(label="indok", max_length=500)

    def clean_deadline(self):
        return _not_past(self.cleaned_data["deadline"])


class SettleForm(FormMixin, forms.Form):
    outcome = forms.ChoiceField(label="elintézés módja", choices=Case.Outcome)
    note = forms.CharField(label="megjegyzés", max_length=500, required=False)


class ReasonForm(FormMixin, forms.Form):
    reason = forms.CharField(label="indok", max_length=500)


class ArchiveForm(FormMixin, forms.Form):
    item = forms.ModelChoiceField(label="irattári tétel", queryset=ArchiveItem.objects.all())


class OutgoingForm(FormMixin, forms.ModelForm):
    """A letter or decision that waits to be signed."""

    class Meta:
        model = Outgoing
        fields = ["addressee", "subject", "text"]
        widgets = {"text": forms.Textarea(attrs={"rows": 12})}


class DispatchForm(FormMixin, forms.Form):
    way = forms.ChoiceField(label="expediálás módja", choices=Way)
    day = forms.DateField(label="expediálás napja", initial=timezone.localdate)

    def clean_day(self):
        if self.cleaned_data["day"] > timezone.localdate():
            raise forms.ValidationError("Az expediálás napja nem lehet a jövőben.")
        return self.cleaned_data["day"]

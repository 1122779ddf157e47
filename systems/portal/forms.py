"""Editors' forms."""

from __future__ import annotations

from django import forms

from systems.core.forms import FormMixin, TokenField
from systems.portal import markup
from systems.portal.models import Contact, Decree, Item, News, Publication


class ItemForm(FormMixin, forms.ModelForm):
    """Fields that all items share: the token of a new one, and the revision that the page showed."""

    token = TokenField()
    revision = forms.IntegerField(widget=forms.HiddenInput, initial=0)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["revision"].initial = self.instance.revision
        for name, field in self.fields.items():
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 12 if name == "text" else 6
            if name == "text":
                field.help_text = f"{field.help_text} {markup.HELP}".strip()

    def clean(self):
        data = super().clean()
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", "A vége nem lehet korábbi a kezdeténél.")
        return data


class NewsForm(ItemForm):
    class Meta:
        model = News
        fields = ["title", "lead", "text", "since", "until", "pinned", "published"]


class DecreeForm(ItemForm):
    class Meta:
        model = Decree
        fields = ["number", "year", "passed_on", "title", "text", "since", "until", "published"]


class PublicationForm(ItemForm):
    class Meta:
        model = Publication
        fields = ["unit", "title", "text", "updated_on", "published"]


class ContactForm(ItemForm):
    class Meta:
        model = Contact
        fields = ["address", "phone", "email", "hours", "text", "published"]


# kind, as in addresses → form, Hungarian name, Hungarian name of a new one
KINDS: dict[str, tuple[type[ItemForm], str, str]] = {
    "hir": (NewsForm, "Hírek", "Új hír"),
    "rendelet": (DecreeForm, "Rendeletek", "Új rendelet"),
    "kozerdeku": (PublicationForm, "Közérdekű adatok", "Új közérdekű adat"),
    "elerhetoseg": (ContactForm, "Elérhetőség", "Elérhetőség"),
}


def model_of(kind: str) -> type[Item]:
    return KINDS[kind][0]._meta.model

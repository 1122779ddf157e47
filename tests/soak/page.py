"""A page as a browser has it: its links, its forms with what stands in them, and the message on top."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

Values = Mapping[str, str | list[str] | None]
NO_TEXT = ("submit", "button", "file", "image", "reset")


class NotThere(Exception):
    """The page lacks what a person would look for on it."""


@dataclass
class Button:
    name: str
    value: str
    text: str = ""


@dataclass
class Form:
    """`fields`: (name, value) as they would be sent; `choices`: what a select offers; `names`: of every field."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    buttons: list[Button] = field(default_factory=list)

    def value(self, name: str) -> str:
        """What stands in a field; NotThere without it."""
        for key, value in self.fields:
            if key == name:
                return value
        raise NotThere(f"no field {name} among {sorted(self.names)}")

    def offers(self, name: str) -> list[str]:
        """What can be chosen in a select, the empty choice left out."""
        return [value for value in self.choices.get(name, []) if value]

    def filled(self, values: Values, button: str) -> list[tuple[str, str]]:
        """The form as it is sent with these values; None or an empty list leaves a box unticked."""
        if strange := set(values) - self.names:
            raise NotThere(f"no fields {sorted(strange)} among {sorted(self.names)}")
        rows = [(name, value) for name, value in self.fields if name not in values]
        for name, value in values.items():
            rows += [(name, item) for item in ([value] if isinstance(value, str) else value or [])]
        submit = self.button(button)
        return [*rows, (submit.name, submit.value)] if submit.name else rows

    def button(self, text: str) -> Button:
        """The button whose text begins so."""
        for button in self.buttons:
            if button.text.strip().startswith(text):
                return button
        raise NotThere(f"no button {text!r} among {[button.text for button in self.buttons]}")


@dataclass
class Page:
    """`url`: where it is; `error`: what went wrong, as the page says itself."""

    url: str
    body: str
    links: list[tuple[str, str]] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    error: str = ""

    @classmethod
    def read(cls, url: str, body: str) -> Page:
        page = cls(url, body)
        _Reader(page).feed(body)
        return page

    def form(self, button: str) -> Form:
        """The first form with a button whose text begins so."""
        for form in self.forms:
            if any(entry.text.strip().startswith(button) for entry in form.buttons):
                return form
        buttons = [entry.text.strip() for form in self.forms for entry in form.buttons]
        raise NotThere(f"no form to {button!r} on {self.url}; buttons: {buttons}")

    def has(self, button: str) -> bool:
        """Whether there is a form with such a button."""
        return any(entry.text.strip().startswith(button) for form in self.forms for entry in form.buttons)

    def link(self, text: str) -> str:
        """The address of the first link whose text begins so."""
        for words, address in self.links:
            if words.strip().startswith(text):
                return address
        raise NotThere(f"no link {text!r} on {self.url}")

    def row(self, text: str) -> Page:
        """The row of a table in which a text stands, as a page of its own."""
        for piece in self.body.split("<tr")[1:]:
            if text in html.unescape(piece.split("</tr>")[0]):
                return Page.read(self.url, "<tr" + piece.split("</tr>")[0])
        raise NotThere(f"no row with {text!r} on {self.url}")

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def heading(self) -> str:
        """What stands in the page's main heading."""
        return self._text(r"<h1[^>]*>(.*?)</h1>", "main heading")

    def term(self, words: str) -> str:
        """What stands beside a term of the page's list of data."""
        return self._text(rf"<dt>{re.escape(words)}[^<]*</dt><dd[^>]*>(.*?)</dd>", f"term {words!r}")

    def _text(self, pattern: str, label: str) -> str:
        match = re.search(pattern, self.body, re.S)
        if not match:
            raise NotThere(f"no {label} on {self.url}")
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", match[1])).split())

    def addresses(self, beginning: str) -> list[str]:
        """Addresses of links that begin so, each once, in their order."""
        return list(dict.fromkeys(address for _, address in self.links if address.startswith(beginning)))


class _Reader(HTMLParser):
    def __init__(self, page: Page):
        super().__init__()
        self._page = page
        self._form: Form | None = None
        self._select: tuple[str, bool] | None = None  # name, whether an option is chosen already
        self._area: tuple[str, list[str]] | None = None
        self._link: tuple[str, list[str]] | None = None
        self._button: Button | None = None
        self._note: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        classes = has.get("class", "").split()
        if tag == "a" and "href" in has:
            self._link = (has["href"], [])
        elif tag == "form":
            self._form = Form(has.get("action", ""))
            self._page.forms.append(self._form)
        elif (tag == "p" and {"message", "error"} <= set(classes)) or (tag == "div" and "summary" in classes):
            self._note = []
        elif self._form:
            self._in_form(tag, has)

    def _in_form(self, tag: str, has: dict[str, str]) -> None:
        form, name = self._form, has.get("name", "")
        assert form
        if tag == "button":
            self._button = Button(name, has.get("value", ""))
            form.buttons.append(self._button)
        elif tag == "option" and self._select:
            select, choice = self._select
            form.choices[select].append(has.get("value", ""))
            if "selected" in has or not choice:
                form.fields = [row for row in form.fields if row[0] != select]
                form.fields.append((select, has.get("value", "")))
                self._select = (select, True)
        elif name:
            form.names.add(name)
            if tag == "select":
                self._select, form.choices[name] = (name, False), []
            elif tag == "textarea":
                self._area = (name, [])
            elif tag == "input":
                self._input(form, name, has)

    @staticmethod
    def _input(form: Form, name: str, has: dict[str, str]) -> None:
        kind = has.get("type", "text")
        if kind in ("checkbox", "radio"):
            form.choices.setdefault(name, []).append(has.get("value", "on"))
            if "checked" in has:
                form.fields.append((name, has.get("value", "on")))
        elif kind not in NO_TEXT:
            form.fields.append((name, has.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._link:
            self._link[1].append(data)
        if self._area:
            self._area[1].append(data)
        if self._button:
            self._button.text += data
        if self._note is not None:
            self._note.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._page.links.append((" ".join("".join(self._link[1]).split()), self._link[0]))
            self._link = None
        elif tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "button":
            self._button = None
        elif tag == "textarea" and self._area and self._form:
            self._form.fields.append((self._area[0], "".join(self._area[1]).lstrip("\n")))
            self._area = None
        elif tag in ("p", "div") and self._note is not None:
            self._page.error = self._page.error or " ".join(" ".join(self._note).split())
            self._note = None

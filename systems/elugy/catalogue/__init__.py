"""The catalogue of forms, one module for each. Old versions stay, so that forms submitted with them can be read."""

from __future__ import annotations

from systems.elugy.catalogue import estate, general, local_business_tax, trade_notification
from systems.elugy.definition import Definition

ALL = [*local_business_tax.VERSIONS, *trade_notification.VERSIONS, *estate.VERSIONS, *general.VERSIONS]
_BY_KEY = {(form.code, form.version): form for form in ALL}
if len(_BY_KEY) != len(ALL):
    raise ValueError("two forms have the same code and version")


def current() -> list[Definition]:
    """The forms that can be begun: the newest version of each."""
    newest = {form.code: form for form in sorted(ALL, key=lambda form: form.version)}
    return [newest[code] for code in dict.fromkeys(form.code for form in ALL)]


def newest(code: str) -> Definition | None:
    return next((form for form in current() if form.code == code), None)


def get(code: str, version: int) -> Definition:
    """One version of a form; KeyError when the catalogue does not have it."""
    return _BY_KEY[code, version]

"""Check digits of what clerks and citizens type: firms' tax numbers, persons' tax identification signs.

Rules: 2017. CL. törvény (adószám, adóazonosító jel). All functions are pure; messages of `ValueError` are Hungarian,
for forms.
"""

from __future__ import annotations

import datetime as dt
import re

FIRST_DAY = dt.date(1867, 1, 1)  # day 0 of the birth day inside a tax identification sign
FIRM_WEIGHTS = (9, 7, 3, 1, 9, 7, 3)


def tax_number(text: str) -> str:
    """A firm's tax number in its common form `12345678-1-05`; ValueError when the text cannot be one."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch("[0-9]{11}", digits):
        raise ValueError("Az adószám 11 számjegy, például 12345676-1-05.")
    if firm_check_digit(digits[:7]) != int(digits[7]):
        raise ValueError("Az adószám ellenőrző számjegye hibás. Nézze meg, nem gépelte-e el.")
    if digits[8] not in "12345":
        raise ValueError("Az adószám kilencedik számjegye (áfakód) 1 és 5 közötti.")
    return f"{digits[:8]}-{digits[8]}-{digits[9:]}"


def firm_check_digit(digits: str) -> int:
    """Eighth digit of a tax number from its first seven."""
    return -sum(weight * int(digit) for weight, digit in zip(FIRM_WEIGHTS, digits, strict=True)) % 10


def tax_sign(text: str) -> str:
    """A person's tax identification sign, ten digits; ValueError when the text cannot be one."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch("8[0-9]{9}", digits):
        raise ValueError("Az adóazonosító jel 10 számjegy, és 8-assal kezdődik.")
    if person_check_digit(digits[:9]) != int(digits[9]):
        raise ValueError("Az adóazonosító jel ellenőrző számjegye hibás. Nézze meg, nem gépelte-e el.")
    return digits


def person_check_digit(digits: str) -> int | None:
    """Tenth digit of a tax identification sign from its first nine; None for nine digits that are never issued."""
    check = sum(place * int(digit) for place, digit in enumerate(digits, 1)) % 11
    return None if check == 10 else check


def tax_sign_of(born: dt.date, serial: int) -> str | None:
    """The sign of a person born on a day, by serial number (0–999); None for a serial that is never issued."""
    digits = f"8{(born - FIRST_DAY).days:05d}{serial:03d}"
    check = person_check_digit(digits)
    return None if check is None else f"{digits}{check}"


def identifier(text: str) -> str:
    """A tax number or a tax identification sign, whichever the text looks like, in its common form."""
    digits = re.sub(r"[\s-]", "", text)
    return tax_sign(digits) if len(digits) == 10 else tax_number(digits)

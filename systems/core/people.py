"""Invented persons, firms and addresses with Hungarian names and valid check digits. All of it is synthetic.

Common given and family names are combined at random; any likeness to a real person is a coincidence.
The same `random.Random` seed gives the same people.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

from systems.shared.identifiers import firm_check_digit, tax_sign_of

NAMES = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
FORMS = ("Kft.", "Bt.", "Zrt.", "e.v.")
COUNTY_CODE = "05"  # Borsod-Abaúj-Zemplén in tax numbers: invented firms need a valid county


@dataclass(frozen=True)
class Person:
    """An invented person."""

    family: str
    given: str
    born: dt.date
    identifier: str
    address: str
    email: str

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}"


@dataclass(frozen=True)
class Firm:
    """An invented firm; `identifier` is its tax number."""

    name: str
    identifier: str
    address: str


def person(random: Random, town: str, today: dt.date) -> Person:
    """An adult who could live in the town."""
    family, given = random.choice(NAMES["family"]), random.choice(random.choice((NAMES["women"], NAMES["men"])))
    born = today - dt.timedelta(days=random.randint(19 * 365, 90 * 365))
    sign = None
    while sign is None:
        sign = tax_sign_of(born, random.randrange(1000))
    email = f"ugyfel{sign[-6:]}@pelda.test"
    return Person(family, given, born, sign, address(random, town), email)


def firm(random: Random, town: str) -> Firm:
    """A firm that could have its seat in the town."""
    name = f"{random.choice(NAMES['family'])}-{random.choice(NAMES['trades'])} {random.choice(FORMS)}"
    digits = str(random.randint(1_000_000, 9_999_999))
    number = f"{digits}{firm_check_digit(digits)}-{random.choice('12')}-{COUNTY_CODE}"
    return Firm(name, number, address(random, town))


def address(random: Random, town: str) -> str:
    """Street and house in the town."""
    kind = random.choice(("utca", "utca", "utca", "út", "köz"))
    return f"{town}, {random.choice(NAMES['streets'])} {kind} {random.randint(1, 90)}."

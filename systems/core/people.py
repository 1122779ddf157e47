"""Invented persons, firms and addresses with Hungarian names and valid check digits. All of it is synthetic.

Names are lists of common given and family names put together at random; whoever bears the same name is meant by nobody.
The same `random.Random` seed gives the same people.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from random import Random

from systems.core.identifiers import firm_check_digit, tax_sign_of

FAMILY = (
    "Balogh Bakos Barta Bodnár Boros Cseh Csonka Deák Dudás Erdős Farkas Fazekas Fehér Fodor Fülöp Gáspár Gulyás Halász Hegedűs Illés "
    "Jakab Juhász Katona Kelemen Király Kozma Lengyel Lukács Magyar Máté Mészáros Molnár Novák Orsós Pálinkás Pap Pintér Rácz Sándor "
    "Sipos Somogyi Soós Szabó Székely Szűcs Takács Török Váradi Vincze Virág"
).split()
WOMEN = (
    "Adél Ágnes Anikó Beáta Borbála Csilla Dorottya Edit Emese Enikő Erika Éva Flóra Gabriella Hajnalka Ibolya Ildikó Judit Katalin Krisztina "
    "Lilla Magdolna Márta Melinda Nikolett Noémi Orsolya Piroska Réka Rozália Sára Teréz Tímea Veronika Viola Zsófia Zsuzsanna"
).split()
MEN = (
    "Ádám András Áron Attila Balázs Barnabás Bence Botond Csaba Dániel Dezső Elemér Ernő Ferenc Gábor Gergely György Győző Imre István János "
    "József Kálmán Károly Kornél Lajos László Márton Mihály Miklós Ödön Pál Péter Sándor Tamás Tibor Vilmos Zoltán Zsolt"
).split()
STREETS = (
    "Ady Endre|Akácfa|Arany János|Bartók Béla|Béke|Bem József|Dankó Pista|Dózsa György|Fő|Gárdonyi Géza|Hársfa|Honvéd|Hunyadi János|Iskola|Jókai Mór|"
    "Kossuth Lajos|Kölcsey Ferenc|Liszt Ferenc|Móricz Zsigmond|Nyárfa|Október 23.|Petőfi Sándor|Rákóczi Ferenc|Sport|Szabadság|Széchenyi István|"
    "Táncsics Mihály|Templom|Toldi Miklós|Vörösmarty Mihály"
).split("|")
TRADES = (
    "Asztalos Bau Bolt Cukrász Építő Fa Fém Gazdálkodó Kert Kereskedő Műhely Pék Szállító Szerviz Szolgáltató Vendéglő Virág"
).split()
FORMS = ("Kft.", "Bt.", "Zrt.", "e.v.")
COUNTY_CODE = "05"  # Borsod-Abaúj-Zemplén in tax numbers; invented firms need some valid one


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
    """Somebody of age who could live in the town."""
    family, given = random.choice(FAMILY), random.choice(random.choice((WOMEN, MEN)))
    born = today - dt.timedelta(days=random.randint(19 * 365, 90 * 365))
    sign = None
    while sign is None:
        sign = tax_sign_of(born, random.randrange(1000))
    email = f"ugyfel{sign[-6:]}@pelda.test"
    return Person(family, given, born, sign, address(random, town), email)


def firm(random: Random, town: str) -> Firm:
    """A firm that could sit in the town."""
    name = f"{random.choice(FAMILY)}-{random.choice(TRADES)} {random.choice(FORMS)}"
    first = str(random.randint(1_000_000, 9_999_999))
    number = f"{first}{firm_check_digit(first)}-{random.choice('12')}-{COUNTY_CODE}"
    return Firm(name, number, address(random, town))


def address(random: Random, town: str) -> str:
    """Street and house in the town."""
    return f"{town}, {random.choice(STREETS)} {random.choice(('utca', 'utca', 'utca', 'út', 'köz'))} {random.randint(1, 90)}."

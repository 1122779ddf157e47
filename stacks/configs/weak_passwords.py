"""Passwords that are long enough and still among the first that somebody tries: Keycloak refuses them, in any case.

Made here from the words of such an office, because public lists of broken passwords hold few of twelve Hungarian
letters. Names of municipalities are not on it: each one that is added would start Keycloak anew, and those of the
whole country do not fit.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from stacks.configs.realm_settings import SHORTEST_PASSWORD, WEAK_PASSWORDS

FOLDER = "/etc/asp/weak-passwords"
FILE = f"{FOLDER}/{WEAK_PASSWORDS}"
LONGEST = 16  # characters of runs of keys and of one key: longer ones nobody types again
WORDS = """\
admin adminisztrátor almafa anyakönyv asztal belépés budapest egészség felhasználó hivatal hungary iktatás iktató iroda
január február március április május június július augusztus szeptember október november december jegyző jegyzőkönyv
jelszó kedvenc költségvetés könyvelés kulcs letmein magyarország munka munkahely nincsjelszó nyár ősz önkormányzat
password passwort pénzügy polgármester polgármesterihivatal rendszergazda secret szabadság szerelem szeretlek számítógép
tavasz tél titkos titkosjelszó titok település titkárság ügyfél ügyintéző ügyvéd város városháza választás
vezető welcome
"""
KEYS = ("qwertzuiop", "qwertyuiop", "asdfghjkl", "yxcvbnm", "zxcvbnm", "1234567890", "0987654321", "abcdefghijkl")
YEARS = range(1950, 2036)
DIGITS = ("1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890")
SIGNS = ("", "!", ".")


def render() -> str:
    """The list as Keycloak reads it: one a line, in small letters."""
    return "".join(f"{word}\n" for word in sorted(set(_all())) if len(word) >= SHORTEST_PASSWORD)


def _all() -> Iterator[str]:
    for word in {form for name in WORDS.split() for form in _forms(name)}:
        yield from (word, 2 * word, 3 * word)
        yield from (f"{word}{ending}{sign}" for ending in (*DIGITS, *YEARS) for sign in SIGNS)
    for keys in (*KEYS, *"abcdefghijklmnopqrstuvwxyz0123456789"):
        yield from ((keys * LONGEST)[:length] for length in range(SHORTEST_PASSWORD, LONGEST + 1))


def _forms(word: str) -> set[str]:
    """A word with its accents and without."""
    bare = "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))
    return {word, bare}

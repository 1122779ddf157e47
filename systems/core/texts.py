"""Texts as people search for them."""

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents, so that `arviz` finds `Árvíz`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))

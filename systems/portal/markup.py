"""Plain text with a few marks → safe HTML. Whatever an editor pastes, only these tags ever come out.

An empty line parts paragraphs; `# ` begins a heading, `- ` an entry of a list; web addresses become links.
"""

from __future__ import annotations

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

ADDRESS = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?()\[\]]")
HELP = "Üres sor: új bekezdés. „# ” a sor elején: alcím, „- ”: felsorolás. A webcímekből hivatkozás lesz."


def html(text: str) -> SafeString:
    """The HTML of a text."""
    blocks: list[str] = []
    for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        _block([line.strip() for line in part.split("\n") if line.strip()], blocks)
    return mark_safe("\n".join(blocks))  # every character of the text was escaped below


def _block(lines: list[str], blocks: list[str]) -> None:
    plain: list[str] = []
    entries: list[str] = []

    def close() -> None:
        if plain:
            blocks.append(f"<p>{'<br>'.join(plain)}</p>")
        if entries:
            blocks.append(f"<ul>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>")
        plain.clear()
        entries.clear()

    for line in lines:
        if line.startswith("# "):
            close()
            blocks.append(f"<h2>{escape(line[2:].strip())}</h2>")
        elif line.startswith("- "):
            if plain:
                close()
            entries.append(_linked(line[2:].strip()))
        else:
            if entries:
                close()
            plain.append(_linked(line))
    close()


def _linked(text: str) -> str:
    """Escaped text with its web addresses as links."""
    parts, last = [], 0
    for found in ADDRESS.finditer(text):
        address = escape(found[0])
        parts += [escape(text[last : found.start()]), f'<a href="{address}" rel="noopener nofollow">{address}</a>']
        last = found.end()
    return "".join([*parts, escape(text[last:])])

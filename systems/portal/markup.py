"""Plain text with a few marks → safe HTML. Whatever an editor pastes, only these tags can result.

An empty line separates paragraphs; `# ` begins a heading, `- ` a list entry; web addresses become links.
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
            entries.append(_link_addresses(line[2:].strip()))
        else:
            if entries:
                close()
            plain.append(_link_addresses(line))
    close()


def _link_addresses(text: str) -> str:
    """Escaped text with its web addresses as links."""
    parts, last = [], 0
    for match in ADDRESS.finditer(text):
        address = escape(match[0])
        parts += [escape(text[last : match.start()]), f'<a href="{address}" rel="noopener nofollow">{address}</a>']
        last = match.end()
    return "".join([*parts, escape(text[last:])])

"""PDF documents. Import this only where they are made: reportlab takes 13 MiB with its fonts.

It is imported when a server starts, before its workers are forked, so that they share that memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from django.http import HttpResponse
from django.utils import timezone
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import CondPageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from systems.core import facts
from systems.core.documents import download, to_text

FONTS = "/usr/share/fonts/truetype/dejavu"  # Debian's fonts-dejavu-core has ő and ű, which PDF's own fonts lack
HEADING_SPACE = 40  # mm that a page must have left for a heading and the first lines below it
SANDBOX = "OKTATÁSI KÖRNYEZET – kitalált adatok"  # as on every page of a sandbox municipality

for _name, _file in {"Sans": "DejaVuSans.ttf", "Sans-Bold": "DejaVuSans-Bold.ttf"}.items():
    pdfmetrics.registerFont(TTFont(_name, f"{FONTS}/{_file}"))


class Pdf:
    """Builds an A4 document: `title`, then paragraphs, pairs and tables in order, then `content()`."""

    def __init__(self, title: str, number: str = ""):
        self.title, self.number = title, number
        self.plain = ParagraphStyle("plain", fontName="Sans", fontSize=9.5, leading=14, spaceAfter=6)
        self.strong = ParagraphStyle("strong", parent=self.plain, fontName="Sans-Bold")
        self.heading = ParagraphStyle("heading", parent=self.strong, fontSize=11.5, leading=16, spaceBefore=10)
        self.headline = ParagraphStyle("first", parent=self.strong, fontSize=16, leading=21, spaceAfter=10)
        self.flow: list[Any] = [self._text(title, self.headline)]
        if number:
            self.flow.append(self._text(number, self.plain))

    def paragraph(self, text: str) -> Pdf:
        self.flow.append(self._text(text, self.plain))
        return self

    def section(self, title: str) -> Pdf:
        # keepWithNext would keep a heading together with the whole table below it and leave half a page empty.
        self.flow += [CondPageBreak(HEADING_SPACE * mm), self._text(title, self.heading)]
        return self

    def pairs(self, rows: Iterable[tuple[str, Any]]) -> Pdf:
        """Names and values, one pair a line."""
        return self._table(
            [[self._text(name, self.plain), self._text(value, self.strong)] for name, value in rows], (1, 2)
        )

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[float] = ()) -> Pdf:
        """A table whose head is repeated on each page; `widths` are proportions. Numbers are right-aligned."""
        body = [[self._cell(value) for value in row] for row in rows]
        return self._table(
            [[self._text(name, self.strong) for name in head], *body], widths or (1,) * len(head), head=True
        )

    def content(self) -> bytes:
        """The document's bytes; each page shows municipality, number and time, and whether it is for training."""
        sandbox = facts.in_sandbox()
        municipality, moment = facts.of_tenant().name, timezone.localtime().strftime("%Y. %m. %d. %H:%M")

        def foot(canvas, document) -> None:
            canvas.setFont("Sans", 7.5)
            canvas.drawString(
                20 * mm, 12 * mm, f"{municipality} · készült: {moment} · bemutató adatok, nem valós személyek"
            )
            canvas.drawRightString(190 * mm, 12 * mm, f"{document.page}. oldal")
            if sandbox:
                canvas.setFont("Sans-Bold", 9)
                canvas.drawCentredString(105 * mm, 285 * mm, SANDBOX)

        buffer = io.BytesIO()
        margins = dict.fromkeys(["leftMargin", "rightMargin", "topMargin", "bottomMargin"], 20 * mm)
        SimpleDocTemplate(buffer, pagesize=A4, title=self.title, author=municipality, lang="hu", **margins).build(
            self.flow, onFirstPage=foot, onLaterPages=foot
        )
        return buffer.getvalue()

    def response(self, name: str) -> HttpResponse:
        """The document as a download; `name` without its extension."""
        return download(self.content(), f"{name}.pdf", "application/pdf")

    def _text(self, value: Any, style: Any) -> Any:
        return Paragraph(escape(to_text(value)).replace("\n", "<br/>"), style)

    def _cell(self, value: Any) -> Any:
        right = isinstance(value, int) and not isinstance(value, bool)
        return self._text(value, ParagraphStyle("number", parent=self.plain, alignment=2) if right else self.plain)

    def _table(self, rows: list[list[Any]], widths: Sequence[float], head: bool = False) -> Pdf:
        unit = 170 * mm / sum(widths)
        style = [("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#c9d2da")), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        if head:
            style.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eaeff4")))
        if rows:
            self.flow += [
                # A row that is longer than a page continues on the next one.
                Table(rows, [unit * w for w in widths], repeatRows=int(head), splitInRow=1, style=TableStyle(style)),
                Spacer(1, 8),
            ]
        return self

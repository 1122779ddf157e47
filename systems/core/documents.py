"""Documents to take away: PDF pages and XLSX sheets, as answers that a browser saves.

The libraries are imported where they are used: most requests make no document, and each server should stay small.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from systems.core import facts

FONTS = "/usr/share/fonts/truetype/dejavu"  # Debian's fonts-dejavu-core: has ő and ű, which PDF's own fonts lack
HEADED = 40  # mm that a page must still have for a heading and the first lines below it
SANDBOX = "OKTATÁSI KÖRNYEZET – kitalált adatok"  # as on every page of a sandbox municipality
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(content: bytes, name: str, content_type: str) -> HttpResponse:
    """An answer that is saved under `name`, never shown as a page."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    return response


class Pdf:
    """An A4 document in the making: `title`, then paragraphs, pairs and tables in order, then `content()`."""

    def __init__(self, title: str, number: str = ""):
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont

        for name, file in {"Sans": "DejaVuSans.ttf", "Sans-Bold": "DejaVuSans-Bold.ttf"}.items():
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(TTFont(name, f"{FONTS}/{file}"))
        self.title, self.number = title, number
        self.plain = ParagraphStyle("plain", fontName="Sans", fontSize=9.5, leading=14, spaceAfter=6)
        self.strong = ParagraphStyle("strong", parent=self.plain, fontName="Sans-Bold")
        self.heading = ParagraphStyle("heading", parent=self.strong, fontSize=11.5, leading=16, spaceBefore=10)
        self.first = ParagraphStyle("first", parent=self.strong, fontSize=16, leading=21, spaceAfter=10)
        self.flow: list[Any] = [self._text(title, self.first)]
        if number:
            self.flow.append(self._text(number, self.plain))

    def paragraph(self, text: str) -> Pdf:
        self.flow.append(self._text(text, self.plain))
        return self

    def section(self, title: str) -> Pdf:
        from reportlab.lib.units import mm
        from reportlab.platypus import CondPageBreak

        # Not keepWithNext: that would keep a heading with the whole table below it, and leave half a page empty.
        self.flow += [CondPageBreak(HEADED * mm), self._text(title, self.heading)]
        return self

    def pairs(self, rows: Iterable[tuple[str, Any]]) -> Pdf:
        """Names and values below each other."""
        return self._table(
            [[self._text(name, self.plain), self._text(value, self.strong)] for name, value in rows], (1, 2)
        )

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[float] = ()) -> Pdf:
        """A table whose head is repeated on each page; `widths` are proportions. Numbers stand to the right."""
        body = [[self._cell(value) for value in row] for row in rows]
        return self._table(
            [[self._text(name, self.strong) for name in head], *body], widths or (1,) * len(head), head=True
        )

    def content(self) -> bytes:
        """The document's bytes; each page says whose it is, which one, when it was made, and if for training."""
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.units import mm
        from reportlab.platypus import SimpleDocTemplate

        sandbox = facts.in_sandbox()
        whose, when = facts.of_tenant().name, timezone.localtime().strftime("%Y. %m. %d. %H:%M")

        def foot(canvas, document) -> None:
            canvas.setFont("Sans", 7.5)
            canvas.drawString(20 * mm, 12 * mm, f"{whose} · készült: {when} · bemutató adatok, nem valós személyek")
            canvas.drawRightString(190 * mm, 12 * mm, f"{document.page}. oldal")
            if sandbox:
                canvas.setFont("Sans-Bold", 9)
                canvas.drawCentredString(105 * mm, 285 * mm, SANDBOX)

        buffer = io.BytesIO()
        margins = dict.fromkeys(["leftMargin", "rightMargin", "topMargin", "bottomMargin"], 20 * mm)
        SimpleDocTemplate(buffer, pagesize=A4, title=self.title, author=whose, lang="hu", **margins).build(
            self.flow, onFirstPage=foot, onLaterPages=foot
        )
        return buffer.getvalue()

    def response(self, name: str) -> HttpResponse:
        """The document as a download; `name` without its ending."""
        return download(self.content(), f"{name}.pdf", "application/pdf")

    def _text(self, value: Any, style: Any) -> Any:
        from xml.sax.saxutils import escape

        from reportlab.platypus import Paragraph

        return Paragraph(escape(_shown(value)).replace("\n", "<br/>"), style)

    def _cell(self, value: Any) -> Any:
        from reportlab.lib.styles import ParagraphStyle

        right = isinstance(value, int) and not isinstance(value, bool)
        return self._text(value, ParagraphStyle("number", parent=self.plain, alignment=2) if right else self.plain)

    def _table(self, rows: list[list[Any]], widths: Sequence[float], head: bool = False) -> Pdf:
        from reportlab.lib import colors
        from reportlab.lib.units import mm
        from reportlab.platypus import Spacer, Table, TableStyle

        unit = 170 * mm / sum(widths)
        style = [("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#c9d2da")), ("VALIGN", (0, 0), (-1, -1), "TOP")]
        if head:
            style.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#eaeff4")))
        if rows:
            self.flow += [
                # A row that is longer than a page goes on on the next one.
                Table(rows, [unit * w for w in widths], repeatRows=int(head), splitInRow=1, style=TableStyle(style)),
                Spacer(1, 8),
            ]
        return self


def _shown(value: Any) -> str:
    """How people write it: thousands apart, days with dots, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "igen" if value else "nem"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u00a0")
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).strftime("%Y. %m. %d. %H:%M")
    return value.strftime("%Y. %m. %d.") if isinstance(value, dt.date) else str(value)


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> HttpResponse:
    """One XLSX sheet as a download; `name` without its ending. Text that looks like a formula stays text."""
    import xlsxwriter

    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "default_date_format": "yyyy. mm. dd.",
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        page = book.add_worksheet((title or name)[:31])
        bold = book.add_format({"bold": True, "bg_color": "#eaeff4", "bottom": 1})
        number = book.add_format({"num_format": "#,##0"})
        widths = [len(text) for text in head]
        page.write_row(0, 0, head, bold)
        for index, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                whole = isinstance(value, int) and not isinstance(value, bool)
                page.write(index, column, _plain(value), number if whole else None)
                widths[column] = min(60, max(widths[column], len(_shown(value))))
        for column, width in enumerate(widths):
            page.set_column(column, column, width + 2)
        page.freeze_panes(1, 0)
    return download(buffer.getvalue(), f"{name}.xlsx", XLSX)


def _plain(value: Any) -> Any:
    """XLSX knows no time zones."""
    return timezone.localtime(value).replace(tzinfo=None) if isinstance(value, dt.datetime) else value

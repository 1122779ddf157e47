"""XLSX sheets."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone

from systems.core.documents import download, to_text

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sheet(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> HttpResponse:
    """One XLSX sheet as a download; `name` without its extension. Text that looks like a formula stays text."""
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
                is_number = isinstance(value, int) and not isinstance(value, bool)
                page.write(index, column, _plain(value), number if is_number else None)
                widths[column] = min(60, max(widths[column], len(to_text(value))))
        for column, width in enumerate(widths):
            page.set_column(column, column, width + 2)
        page.freeze_panes(1, 0)
    return download(buffer.getvalue(), f"{name}.xlsx", XLSX)


def _plain(value: Any) -> Any:
    """A value without its time zone: XLSX has none."""
    return timezone.localtime(value).replace(tzinfo=None) if isinstance(value, dt.datetime) else value

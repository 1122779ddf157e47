"""Documents as responses that a browser saves; `pdf` and `sheets` make them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header


def download(content: bytes, name: str, content_type: str) -> HttpResponse:
    """A response that browsers save under `name` and never show as a page."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def to_text(value: Any) -> str:
    """A value as people write it: thousands separated, days with dots, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "igen" if value else "nem"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u00a0")
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).strftime("%Y. %m. %d. %H:%M")
    return value.strftime("%Y. %m. %d.") if isinstance(value, dt.date) else str(value)

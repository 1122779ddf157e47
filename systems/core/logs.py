"""Structured logs: one JSON object a line with tenant and request id, and no personal data."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import Error

DATA_EXCEPTION = "22"  # SQLSTATE class whose messages quote the value itself, such as "invalid input syntax for …"
MESSAGE_LENGTH = 1000  # characters: paths and errors may come from outside, and a line must stay a line
UNPRINTABLE = re.compile(r"[^ -~]")  # candidates; Hungarian letters are among them and stay
logger = logging.getLogger("asp")
# For Django (LOGGING) and gunicorn (logconfig_dict) alike: a service logs everything as JSON to standard output.
CONFIGURATION = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "systems.core.logs.JsonFormatter"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["out"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # The middleware logs refusals and missing pages with their cause, because it knows tenant and request.
        "django.request": {"level": "ERROR"},
        # They quote the caller's Origin; `pages.csrf_failure` logs the kind of failure.
        "django.security.csrf": {"level": "ERROR"},
        "gunicorn.error": {"handlers": ["out"], "level": "INFO", "propagate": False},
        # Off: it writes query strings, and searches are personal data. A logconfig_dict alone would switch it on.
        "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
    },
}
_request: ContextVar[tuple[str, str]] = ContextVar("request", default=("-", "-"))


@contextmanager
def request(request_id: str, tenant: str) -> Iterator[None]:
    """Log lines written inside this context carry the request id and the tenant."""
    token = _request.set((request_id[:64], tenant[:16]))
    try:
        yield
    finally:
        _request.reset(token)


def without_data(text: str, error: BaseException | None) -> str:
    """A traceback or an error message without the rows and values that PostgreSQL quotes in it.

    DETAIL, CONTEXT and LINE of an error quote what was being written; only its first line and SQLSTATE remain.
    """
    messages: set[str] = set()
    while error is not None:
        message = str(error)
        # Django's own errors have the driver's as their cause, with the same text.
        if (isinstance(error, Error) or hasattr(error, "sqlstate")) and message.strip() and message not in messages:
            state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or "unknown"
            head = "" if state.startswith(DATA_EXCEPTION) else f"{message.strip().splitlines()[0]} "
            text = text.replace(message, f"{head}(SQLSTATE {state})")
            messages.add(message)
        error = error.__cause__ or error.__context__
    return text


def printable(text: str) -> str:
    """JSON text in which whatever moves a terminal's cursor, turns its direction or is invisible is an escape."""
    return text if text.isprintable() else UNPRINTABLE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    sign = match[0]
    return sign if sign.isprintable() else json.dumps(sign)[1:-1]


class JsonFormatter(logging.Formatter):
    """Time (Unix seconds), level, logger, message, request id, tenant, the line's own `fields`, and any traceback."""

    def format(self, record: logging.LogRecord) -> str:
        request_id, tenant = _request.get()
        entry = {
            "time": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:MESSAGE_LENGTH],
            "request": request_id,
            "tenant": tenant,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = without_data(self.formatException(record.exc_info), record.exc_info[1])
        return printable(json.dumps(entry, ensure_ascii=False))

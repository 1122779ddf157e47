"""Structured logs: one JSON object a line with tenant and request id, and no personal data."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

logger = logging.getLogger("asp")
_request: ContextVar[tuple[str, str]] = ContextVar("request", default=("-", "-"))


@contextmanager
def request(request_id: str, tenant: str) -> Iterator[None]:
    """Lines written inside carry this request id and tenant."""
    token = _request.set((request_id[:64], tenant[:16]))
    try:
        yield
    finally:
        _request.reset(token)


class JsonFormatter(logging.Formatter):
    """Time (UTC seconds), level, logger, message, request id and tenant; a traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        request_id, tenant = _request.get()
        entry = {
            "time": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": request_id,
            "tenant": tenant,
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)

"""The training system's figures for the warehouse: exercises done and certificates, without names."""

from __future__ import annotations

import datetime as dt
from typing import Any

from systems.training.models import Certificate, Pass


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    figures = [
        ("elvégzett gyakorlat", Pass.objects.filter(done_at__date__lte=day).count()),
        ("kiadott oktatási igazolás", Certificate.objects.filter(issued_at__date__lte=day).count()),
    ]
    return [{"measure": m, "dimension": "", "kind": "count", "value": n} for m, n in figures]

"""The property register's figures for the warehouse: parcels, areas and values by class."""

from __future__ import annotations

import datetime as dt
from typing import Any

from systems.ivk import summaries


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    figures = []
    for row in summaries.by_class(day):
        dimension = f"{row.transferability}, {row.area}"
        figures.append(("ingatlan", dimension, "count", row.count))
        figures.append(("ingatlanok területe (m²)", dimension, "count", row.square_metres))
        figures.append(("ingatlanok bruttó értéke", dimension, "forint", row.gross))
        figures.append(("ingatlanok nettó értéke", dimension, "forint", row.net))
    return [{"measure": m, "dimension": d, "kind": k, "value": v} for m, d, k, v in figures]

"""What the property register tells the warehouse: parcels, areas and values by class."""

from __future__ import annotations

import datetime as dt
from typing import Any

from systems.ivk import summaries


def rows(day: dt.date) -> list[dict[str, Any]]:
    """Figures at the end of a day."""
    found = []
    for row in summaries.by_class(day):
        where = f"{row.transferability}, {row.area}"
        found.append(("ingatlan", where, "count", row.count))
        found.append(("ingatlanok területe (m²)", where, "count", row.square_metres))
        found.append(("ingatlanok bruttó értéke", where, "forint", row.gross))
        found.append(("ingatlanok nettó értéke", where, "forint", row.net))
    return [{"measure": m, "dimension": d, "kind": k, "value": v} for m, d, k, v in found]

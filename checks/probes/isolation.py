"""The proof that a cell's tenants are apart: every one against every other, from the running catalogues."""

from __future__ import annotations

import time
from typing import Any

from centre.database.apply import shared_rights
from centre.isolation.findings import findings
from centre.isolation.matrix import PLANES, matrix
from centre.isolation.reading import read
from centre.reach.psql import CellSql
from inventory.register import Register

SHOWN = 20  # pairs of a plane, and findings, that the recording keeps: a right for everybody is 65,000 pairs in a cell


def proof(cell: CellSql, register: Register) -> dict[str, Any]:
    """Section `isolation` of the centre: who was compared, who reaches whom, what is no part of a sound tenant.

    Reading takes some 50 ms a database, so about 15 s in a full cell; the rest is arithmetic.
    """
    began = time.monotonic()
    facts = read(cell)
    result = matrix([facts])
    strange = findings(facts, shared_rights(register, cell.cell_id))
    return {
        "tenants": result.tenants,
        "planes": list(PLANES),
        "examined": result.examined,
        "forbidden": result.forbidden,
        "reached": {
            plane: [f"{source} → {target}" for source, target in sorted(pairs)[:SHOWN]]
            for plane, pairs in result.reached.items()
        },
        "strange": len(strange),
        "findings": [str(item) for item in strange[:SHOWN]],
        "seconds": round(time.monotonic() - began, 2),
    }

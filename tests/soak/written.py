"""What people were told was done is there, once; what they were told nothing about is there once or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.soak.journal import Write
from tests.soak.verdict import Verdict

# What a form writes → table, column by which it is found again, and what else must hold.
KINDS = {
    "incoming": ("irat.incoming", "form_token", ""),
    "document": ("irat.document", "form_token", ""),
    "attachment": ("irat.attachment", "sha256", ""),
    "settled": ("irat.case_file", "id", "settled_on IS NOT NULL"),
    "taxpayer": ("ado.taxpayer", "identifier", ""),
    "return": ("ado.tax_return", "number", ""),
    "assessment": ("ado.tax_return", "number", "state = 'accepted'"),
    "payment": ("ado.payment", "reference", "reverses_id IS NULL"),
    "commitment": ("gazd.commitment", "token", ""),
    "invoice": ("gazd.invoice", "number", ""),
    "paid": ("gazd.invoice", "number", "state = 'paid'"),
    "voucher": ("gazd.voucher", "token", ""),
    "parcel": ("ivk.parcel", "token", ""),
    "notification": ("iparker.notification", "token", ""),
    "trade": ("iparker.notification", "token", "state = 'registered'"),
    "estate": ("hagyatek.estate", "token", ""),
    "heir": ("hagyatek.heir", "token", ""),
    "ticket": ("helpdesk.ticket", "token", ""),
    "user": ("keret.clerk", "username", ""),
    "news": ("portal.news", "token", ""),
    "package": ("migration.package", "sha256", ""),
    "import": ("migration.package", "id", "state = 'applied'"),
    "submission": ("elugy.submission", "id", "arrival_number IS NOT NULL"),
    "arrived": ("irat.submission", "id", ""),
}


def query(kind: str, keys: Sequence[str]) -> str:
    """SQL that gives each key with how often it is there, one JSON array a row."""
    table, column, condition = KINDS[kind]
    literals = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
    more = f" AND {condition}" if condition else ""
    return (
        f"SELECT json_build_array({column}::text, count(*)) FROM {table} "
        f"WHERE {column}::text IN ({literals}){more} GROUP BY {column};"
    )


def expected(writes: Sequence[Write]) -> list[Write]:
    """The writes, and what must come of them elsewhere: each citizen's form arrives in the records system."""
    arrivals = [Write(w.at, w.ksh, "arrived", w.key, w.acknowledged) for w in writes if w.kind == "submission"]
    return [*writes, *arrivals]


def judge(writes: Sequence[Write], counts: Mapping[tuple[str, str, str], int]) -> Verdict:
    """`counts`: (KSH code, kind, key) → how often it is there."""
    keys: dict[tuple[str, str, str], bool] = {}
    for write in writes:
        place = (write.ksh, write.kind, write.key)
        keys[place] = keys.get(place, False) or write.acknowledged
    faults = []
    for (ksh, kind, key), acknowledged in keys.items():
        count = counts.get((ksh, kind, key), 0)
        if count > 1 or (acknowledged and count != 1):
            faults.append(f"{ksh} {kind} {key}: there {count} times, {'acknowledged' if acknowledged else 'no answer'}")
    total = sum(keys.values())
    figures = f"{total} acknowledged, {total - sum(': there 0' in fault for fault in faults)} there; "
    figures += f"{len(keys) - total} without an answer, {len(faults)} wrong"
    return Verdict("acknowledged writes there", bool(total) and not faults, figures, faults)

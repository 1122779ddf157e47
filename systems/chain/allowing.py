"""SQL that writes `chain.allowed` from the data. For migrations: no login may write that table."""

from __future__ import annotations

from systems.shared.messages import ALLOWED


def rewrite() -> str:
    rows = ", ".join("('" + "', '".join(triple) + "')" for triple in sorted(ALLOWED))
    return f"DELETE FROM allowed; INSERT INTO allowed (source, target, topic) VALUES {rows}"

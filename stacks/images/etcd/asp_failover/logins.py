"""The logins of etcd: `/run/secrets/etcd.json`, as stacks/components/etcd.py writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path("/run/secrets/etcd.json")


def read_logins(file: Path | None = None) -> dict[str, Any]:
    """`root` (password) and `users` {name: {password, read, write}}: lists of keys, or of prefixes with a slash."""
    return json.loads((file or FILE).read_text(encoding="utf-8"))

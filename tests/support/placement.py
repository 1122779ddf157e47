"""What Swarm's scheduler makes of constraints: every one of them holds for a node's labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def fits(constraints: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Whether a node with these labels may run a service. A label that is not there equals nothing."""
    for constraint in constraints:
        match = re.fullmatch(r"node\.labels\.([a-z.]+)(==|!=)([a-z0-9-]+)", constraint)
        assert match, f"constraint {constraint!r} is not understood"
        if (labels.get(match[1]) == match[3]) is not (match[2] == "=="):
            return False
    return True

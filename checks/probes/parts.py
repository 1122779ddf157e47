"""A probe's parts: asked at the same time, each guarded, so that one that fails hides no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from centre.reach.runtime import RuntimeFault, Unreachable

AT_ONCE = 6  # a part is one or two execs; the machine that probes is small

Part = Callable[[], Any]


def gather(parts: Mapping[str, Part]) -> dict[str, Any]:
    """What each part gave; `{"unreachable": …}` or `{"fault": …}` (texts for readers) where it did not."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = {name: pool.submit(guard, part) for name, part in parts.items()}
        return {name: result.result() for name, result in answers.items()}


def guard(part: Part) -> Any:
    """One part's answer, or what kept it from answering."""
    try:
        return part()
    except Unreachable as error:
        return {"unreachable": brief(error)}
    except (RuntimeFault, OSError, LookupError, TypeError, ValueError) as error:
        return {"fault": brief(error)}


def brief(error: Exception) -> str:
    """An error on one line: its message, or its kind where it has none."""
    return " ".join(str(error).split())[:400] or type(error).__name__


def per_section(answer: dict[str, Any], *sections: str) -> dict[str, Any]:
    """The sections that one part answers for; each of them says why not where the part failed."""
    return answer if sections[0] in answer else dict.fromkeys(sections, answer)

"""A small language that says what a Docker resource's properties are, and the orders of its sets.

The tables themselves stand in `docker/`; `check` and `diff` read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# kinds: str int bool float | list set (of text) | map (of text) | object | objects (ordered) | objectset


@dataclass(frozen=True)
class Field:
    """One property.

    kind: see above. computed: the daemon fills it in when the program leaves it out. output: never an input.
    force: a change replaces the resource. default: written into the inputs when missing. fields: those of nested
    objects. autoname: a missing name is made from the logical one. suppress: compares two unequal values, True
    when they mean the same. valid: gives the reason why a value is refused, or None.
    """

    kind: str
    required: bool = False
    computed: bool = False
    output: bool = False
    force: bool = False
    default: Any = None
    fields: dict[str, Field] = field(default_factory=dict)
    autoname: bool = False
    suppress: Callable[[Any, Any], bool] | None = None
    valid: Callable[[Any], str | None] | None = None


def text(**options: Any) -> Field:
    return Field("str", **options)


def integer(**options: Any) -> Field:
    return Field("int", **options)


def boolean(**options: Any) -> Field:
    return Field("bool", **options)


def texts(**options: Any) -> Field:
    return Field("list", **options)


def textset(**options: Any) -> Field:
    return Field("set", **options)


def mapping(**options: Any) -> Field:
    return Field("map", **options)


def nested(fields: dict[str, Field], **options: Any) -> Field:
    return Field("object", fields=fields, **options)


def nested_list(fields: dict[str, Field], **options: Any) -> Field:
    return Field("objects", fields=fields, **options)


def nested_set(fields: dict[str, Field], **options: Any) -> Field:
    return Field("objectset", fields=fields, **options)


def labels(force: bool = True, **options: Any) -> Field:
    """The label set that most resources have."""
    return nested_set({"label": text(required=True, force=force), "value": text(required=True, force=force)}, **options)


def _order_key(value: Any) -> bytes:
    if value is None:
        return b"~"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, (int, float)):
        return str(value).encode()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).encode()
    if isinstance(value, dict):
        return b"<" + b"".join(_order_key(value[key]) + b";" for key in sorted(value)) + b">"
    return b"[" + b"".join(_order_key(item) + b";" for item in value) + b"]"


def as_set(elements: list[dict]) -> list[dict]:
    """Elements of a set in the order in which the real provider records them."""
    return sorted(elements, key=_order_key)


def label_set(values: dict | None) -> list[dict]:
    """A daemon's label map as the provider's label set."""
    return as_set([{"label": key, "value": value} for key, value in (values or {}).items()])


def label_map(elements: list[dict] | None) -> dict:
    """A label set as the daemon's map."""
    return {item["label"]: item["value"] for item in elements or []}


def empty(value: Any) -> bool:
    """Whether a value is the zero of its type, which the provider cannot tell from an absent one."""
    if value is None or value is False or value == "" or value == []:
        return True
    if isinstance(value, dict):
        return all(empty(item) for key, item in value.items() if key != "__defaults")
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0

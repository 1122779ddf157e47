"""What a change of inputs means: nothing, an update in place, or a replacement.

New inputs are compared with what the daemon was last seen to have (the recorded outputs), as the real provider
does: a property that the program leaves out and that the daemon fills in by itself is no change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stacks.engine.check import DEFAULTS
from stacks.engine.schema import Field, empty
from stacks.engine.values import UNKNOWN, reveal


@dataclass
class Diff:
    """Changed property paths. `changes`: path -> (kind, old, new); `replaces`: paths that force a replacement."""

    changes: dict[str, tuple[str, Any, Any]] = field(default_factory=dict)
    replaces: set[str] = field(default_factory=set)
    delete_first: bool = False

    @property
    def keys(self) -> list[str]:
        """Top-level properties that changed, sorted."""
        return sorted({top(path) for path in self.changes})

    def __bool__(self) -> bool:
        return bool(self.changes)


def top(path: str) -> str:
    """First component of a property path."""
    return path.split(".", 1)[0].split("[", 1)[0]


def diff(fields: dict[str, Field], outputs: dict, inputs: dict) -> Diff:
    """Compare checked new `inputs` with recorded `outputs`."""
    result = Diff()
    plain = reveal(inputs)
    _object(fields, reveal(outputs), plain, "", False, result)
    explicit_name = any(
        spec.autoname and key in plain and key not in (plain.get(DEFAULTS) or []) for key, spec in fields.items()
    )
    result.delete_first = explicit_name
    return result


def plain_diff(old: dict, new: dict) -> Diff:
    """Difference of two property maps without a schema (components, providers)."""
    result = Diff()
    old, new = reveal(old), reveal(new)
    for key in sorted({*old, *new} - {DEFAULTS}):
        if old.get(key) != new.get(key):
            _note(result, key, old.get(key), new.get(key), False)
    return result


def _object(fields: dict[str, Field], old: dict, new: dict, path: str, force: bool, result: Diff) -> None:
    for key, spec in fields.items():
        if spec.output:
            continue
        place = f"{path}.{key}" if path else key
        _value(spec, old.get(key), new.get(key), place, force, result)


def _value(spec: Field, old: Any, new: Any, path: str, force: bool, result: Diff) -> None:
    force = force or (spec.force and spec.kind != "object")
    if new is None or (new == [] and spec.computed):
        if spec.computed or empty(old):
            return
        _note(result, path, old, None, force or _forces(spec, whole=True))
    elif new is UNKNOWN:
        _note(result, path, old, new, force or _forces(spec))
    elif spec.kind == "object":
        if old is None:
            if not empty(new):
                _note(result, path, old, new, force or spec.force)
        else:
            _object(spec.fields, old, new, path, force, result)
    elif spec.kind == "objects" and spec.suppress is not None and spec.suppress(old or [], new):
        return
    elif spec.kind == "objects":
        _ordered(spec, old or [], new, path, force, result)
    elif spec.kind == "objectset":
        _unordered(spec, old or [], new, path, force, result)
    elif spec.kind == "map" and isinstance(old, dict):
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                _note(result, _inside(path, key), old.get(key), new.get(key), force)
    elif not _same(spec, old, new):
        _note(result, path, old, new, force)


def _same(spec: Field, old: Any, new: Any) -> bool:
    if old is None:
        return empty(new)
    if spec.kind == "set":
        return _textset(old) == _textset(new)
    if spec.suppress is not None and old != new:
        return bool(spec.suppress(old, new))
    return old == new


def _textset(value: list) -> list:
    return sorted(map(str, value))


def _forces(spec: Field, whole: bool = False) -> bool:
    """Whether a change of the property forces a replacement. `whole`: an object goes altogether."""
    if spec.kind in ("objectset", "objects") or (whole and spec.kind == "object"):
        return spec.force or any(_forces(item, whole) for item in spec.fields.values())
    return spec.force and spec.kind != "object"


def _ordered(spec: Field, old: list, new: list, path: str, force: bool, result: Diff) -> None:
    if len(old) != len(new):
        _note(result, path, old, new, force or _forces(spec))
    for index, (before, after) in enumerate(zip(old, new, strict=False)):
        place = f"{path}[{index}]"
        if after is UNKNOWN:
            _note(result, place, before, after, force or _forces(spec))
        else:
            _object(spec.fields, before, after, place, force, result)


def _unordered(spec: Field, old: list, new: list, path: str, force: bool, result: Diff) -> None:
    remaining = list(old)
    unmatched = []
    for index, element in enumerate(new):
        twin = next((item for item in remaining if element is not UNKNOWN and _alike(spec, item, element)), None)
        if twin is None:
            unmatched.append((index, element))
        else:
            remaining.remove(twin)
    # In a set an element that changes is one that goes and one that comes: any forcing field forces.
    force = force or _forces(spec)
    if spec.computed and (unmatched or remaining):
        _note(result, path, old, new, force)
        return
    for index, element in unmatched:
        before = remaining.pop(0) if remaining else None
        _element(spec, before, element, f"{path}[{index}]", force, result)
    for element in remaining:
        _note(result, f"{path}[{old.index(element)}]", element, None, force)


def _element(spec: Field, old: dict | None, new: Any, path: str, force: bool, result: Diff) -> None:
    """Note a changed element of a set: field by field when some field stayed what it was, else as a whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        fields = Diff()
        _object(spec.fields, old, new, path, force, fields)
        keys = [key for key in new if key != DEFAULTS and new[key] is not None]
        if len({path for path in fields.changes}) < len(keys):
            for place, (_, before, after) in fields.changes.items():
                _note(result, place, before, after, force)
            return
    _note(result, path, old, new, force)


def _inside(path: str, key: str) -> str:
    """Path of a map's entry."""
    return f'{path}["{key}"]' if "." in key or "[" in key else f"{path}.{key}"


def _alike(spec: Field, old: dict, new: dict) -> bool:
    trial = Diff()
    _object(spec.fields, old, new, "", False, trial)
    return not trial


def _note(result: Diff, path: str, old: Any, new: Any, force: bool) -> None:
    kind = "add" if empty(old) and new is not None else "delete" if new is None else "update"
    result.changes[path] = (kind, old, new)
    if force:
        result.replaces.add(path)


def complete(fields: dict[str, Field], inputs: dict, outputs: dict | None) -> dict:
    """The full wanted object: inputs, and for what they leave to the daemon its recorded value.

    `outputs` None: a creation, where nothing is recorded yet.
    """
    result = {}
    for key, spec in fields.items():
        value = inputs.get(key)
        before = (outputs or {}).get(key)
        if value is None:
            result[key] = before if spec.computed or spec.output else None
        elif spec.kind == "object" and isinstance(value, dict):
            result[key] = complete(spec.fields, value, before if isinstance(before, dict) else None)
        elif spec.kind in ("objects", "objectset") and isinstance(value, list):
            ordered = before if spec.kind == "objects" and isinstance(before, list) else []
            result[key] = [
                complete(spec.fields, item, ordered[index] if index < len(ordered) else None)
                for index, item in enumerate(value)
            ]
        else:
            result[key] = value
    return result


def overlay(fields: dict[str, Field], inputs: dict, outputs: dict) -> dict:
    """Inputs as a refresh leaves them: what the program had set, with the values that the daemon has now."""
    result = dict(inputs)
    for key, spec in fields.items():
        if key not in inputs or key not in outputs:
            continue
        before, after = inputs[key], outputs[key]
        if spec.kind == "object" and isinstance(before, dict):
            if isinstance(after, dict):
                result[key] = overlay(spec.fields, before, after)
        elif spec.kind in ("objects", "objectset"):
            if isinstance(before, list) and isinstance(after, list):
                trial = Diff()
                _value(spec, after, before, key, False, trial)
                if trial:
                    result[key] = [{DEFAULTS: [], **item} for item in after]
        elif not _same(spec, after, before):
            result[key] = after
    return result

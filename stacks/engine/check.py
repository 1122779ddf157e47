"""Input checks: every field known and of its type, defaults and automatic names filled in."""

from __future__ import annotations

import re
import secrets as random_source
from typing import Any

from stacks.engine.errors import CheckError
from stacks.engine.schema import Field
from stacks.engine.values import RESOURCE_SIG, SIG, UNKNOWN, Secret, annotate_secrets, reveal

DEFAULTS = "__defaults"
_PLAIN: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "bool": (bool,), "float": (int, float)}
_EXPECTED = {"str": "a string", "int": "a whole number", "bool": "true or false", "float": "a number"}


def check(fields: dict[str, Field], inputs: dict, old_inputs: dict, name: str) -> dict:
    """Inputs as the provider records them. Raises CheckError with all failures.

    `old_inputs`: those of the last deployment, whose automatic name is kept. `name`: the logical name.
    """
    failures: list[tuple[str, str]] = []
    plain = reveal(inputs)
    old_plain_defaults = reveal(old_inputs.get(DEFAULTS)) or []
    for key, spec in fields.items():
        if spec.autoname and plain.get(key) is None:
            earlier_name = key in old_plain_defaults and reveal(old_inputs.get(key))
            plain[key] = earlier_name or f"{name}-{random_source.token_hex(4)[:7]}"
            plain.setdefault(DEFAULTS, []).append(key)
    result = _object(fields, plain, "", failures)
    if failures:
        raise CheckError([(path, _without_secrets(reason, inputs)) for path, reason in failures])
    return annotate_secrets(result, inputs)


def _without_secrets(reason: str, value: Any) -> str:
    """A refusal that shows no secret, although it names the value that was refused."""
    if isinstance(value, Secret):
        text = str(reveal(value))
        return reason.replace(text, "[secret]") if text else reason
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        reason = _without_secrets(reason, item)
    return reason


def _object(fields: dict[str, Field], value: dict, path: str, failures: list) -> dict:
    result: dict[str, Any] = {}
    defaulted = list(value.get(DEFAULTS) or [])
    for key in sorted(value):
        item = value[key]
        place = f"{path}.{key}" if path else key
        spec = fields.get(key)
        if key == DEFAULTS:
            continue
        if spec is None or spec.output:
            names = ", ".join(sorted(k for k, f in fields.items() if not f.output))
            reason = "is set by the daemon and cannot be an input" if spec else f"no such field; known here: {names}"
            failures.append((place, reason))
        elif item is not None:
            result[key] = _value(spec, item, place, failures)
    for key, spec in fields.items():
        if key in result:
            continue
        if spec.default is not None:
            result[key] = spec.default
            defaulted.append(key)
        elif spec.required:
            reason = (
                f'Missing required argument. The argument "{_snake(key)}" is required, but no definition was found.'
            )
            failures.append((f"{path}.{key}" if path else key, reason))
    return {DEFAULTS: sorted(defaulted), **dict(sorted(result.items()))}


def _value(spec: Field, value: Any, path: str, failures: list) -> Any:
    if value is UNKNOWN:
        return value
    if isinstance(value, Secret):
        return Secret(_value(spec, value.value, path, failures))
    if isinstance(value, dict) and value.get(SIG) == RESOURCE_SIG:
        return value.get("id", "")
    if spec.kind in _PLAIN:
        value = _scalar(spec.kind, value, path, failures)
        fault = spec.valid(value) if spec.valid and isinstance(value, _PLAIN[spec.kind]) else None
        if fault:
            failures.append((path, f"{fault}. {fault}"))  # the provider gives its text as summary and as detail
        return value
    if spec.kind == "object":
        if isinstance(value, dict):
            return _object(spec.fields, value, path, failures)
        failures.append((path, f"is {_describe(value)}, wanted an object"))
    elif spec.kind == "map":
        if isinstance(value, dict):
            return {key: _scalar("str", item, f"{path}.{key}", failures) for key, item in value.items()}
        failures.append((path, f"is {_describe(value)}, wanted a map of strings"))
    elif not isinstance(value, list):
        failures.append((path, f"is {_describe(value)}, wanted a list"))
    elif spec.kind in ("list", "set"):
        return [_scalar("str", item, f"{path}[{index}]", failures) for index, item in enumerate(value)]
    else:
        return [_element(spec, item, f"{path}[{index}]", failures) for index, item in enumerate(value)]
    return value


def _element(spec: Field, value: Any, path: str, failures: list) -> Any:
    if value is UNKNOWN:
        return value
    if isinstance(value, dict):
        return _object(spec.fields, value, path, failures)
    failures.append((path, f"is {_describe(value)}, wanted an object"))
    return value


def _scalar(kind: str, value: Any, path: str, failures: list) -> Any:
    if value is UNKNOWN:
        return value
    valid = isinstance(value, _PLAIN[kind]) and (kind == "bool" or not isinstance(value, bool))
    if valid:
        return value
    if kind == "str" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if kind == "str" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "int" and isinstance(value, str) and value.lstrip("-").isdigit():
        return int(value)
    failures.append((path, f"is {_describe(value)}, wanted {_EXPECTED[kind]}"))
    return value


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), name)


def _describe(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:60]!r}"

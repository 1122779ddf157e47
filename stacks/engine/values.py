"""Property values: their Python form, the wire form of the SDK and the JSON form of the checkpoint.

Python form: plain JSON types, with `Secret` around secret values and `UNKNOWN` for values that only
exist after an operation (previews). Resource references stay dictionaries with their signature key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stacks.engine.errors import UnsupportedError

SIG = "4dabf18193072939515e22adb298388d"
SECRET_SIG = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT_SIG = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE_SIG = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET_SIGS = {"c44067f5952c0a294b673a41bacd8c17": "asset", "0def7320c3a5731c473e5ecbe6d01bc7": "archive"}
UNKNOWN_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class _Unknown:
    """A value that is not known before the operation has run."""

    def __repr__(self) -> str:
        return "<unknown>"

    def __bool__(self) -> bool:
        return True

    def __copy__(self) -> _Unknown:
        return self

    def __deepcopy__(self, _memo: dict) -> _Unknown:
        return self


UNKNOWN = _Unknown()


class Secret:
    """A secret value. One read from a checkpoint is decrypted only when somebody looks at it."""

    __slots__ = ("_value", "_opener", "ciphertext")

    def __init__(self, value: Any = None, ciphertext: str | None = None, opener: Callable[[str], str] | None = None):
        self._value = value
        self._opener = opener
        self.ciphertext = ciphertext

    @property
    def value(self) -> Any:
        """The plain value (a nested secret is flattened)."""
        if self._opener is not None and self.ciphertext is not None:
            self._value = json.loads(self._opener(self.ciphertext))
            self._opener = None
        return self._value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            if self.ciphertext is not None and self.ciphertext == other.ciphertext:
                return True
            return self.value == other.value
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # the value may be a list or a dictionary

    def __repr__(self) -> str:
        return "[secret]"


def secret(value: Any) -> Secret:
    """Wrap `value`, never twice."""
    return value if isinstance(value, Secret) else Secret(reveal(value))


def reveal(value: Any) -> Any:
    """`value` without any secret wrapper, at any depth."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [reveal(item) for item in value]
    return value


def has_secret(value: Any) -> bool:
    """Whether a secret lies anywhere in `value`."""
    if isinstance(value, Secret):
        return True
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(has_secret(item) for item in items)


def has_unknown(value: Any) -> bool:
    """Whether an unknown lies anywhere in `value`."""
    if value is UNKNOWN:
        return True
    if isinstance(value, Secret):
        return value._opener is None and has_unknown(value.value)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(has_unknown(item) for item in items)


def annotate_secrets(outputs: dict, inputs: dict) -> dict:
    """Carry the secretness of inputs over to outputs: objects key by key, anything else as a whole.

    A list with one secret element becomes secret altogether, since providers may reorder it.
    """
    result = {}
    for key, value in outputs.items():
        source = inputs.get(key)
        if isinstance(value, Secret) or not has_secret(source):
            result[key] = value
        elif isinstance(value, dict) and isinstance(source, dict):
            result[key] = annotate_secrets(value, source)
        else:
            result[key] = secret(value)
    return result


def mask(value: Any) -> Any:
    """JSON of `value` for showing: secrets as `[secret]`, unknowns as the wire writes them."""
    if isinstance(value, Secret):
        return "[secret]"
    if isinstance(value, dict):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask(item) for item in value]
    return UNKNOWN_WIRE if value is UNKNOWN else value


def without(value: Any, key: str) -> Any:
    """`value` with every dictionary entry named `key` left out, at any depth."""
    if isinstance(value, Secret):
        return Secret(without(value.value, key))
    if isinstance(value, dict):
        return {name: without(item, key) for name, item in value.items() if name != key}
    if isinstance(value, list):
        return [without(item, key) for item in value]
    return value


def reseal(new: Any, old: Any) -> Any:
    """`new` with each secret that equals the one at the same place of `old` kept in its old ciphertext."""
    if isinstance(new, Secret):
        return old if isinstance(old, Secret) and old.ciphertext and new == old else new
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: reseal(value, old.get(key)) for key, value in new.items()}
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return [reseal(a, b) for a, b in zip(new, old, strict=True)]
    return new


def number(value: float) -> int | float:
    """Integral floats as int: Struct and JSON know one kind of number only."""
    return int(value) if value == int(value) and abs(value) < 2**63 else value


def from_struct(struct: Any) -> dict:
    """A protobuf `Struct` in the Python form."""
    return {key: from_value(value) for key, value in struct.fields.items()}


def from_value(value: Any) -> Any:
    """A protobuf `Value` in the Python form. Raises UnsupportedError on assets and archives."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_WIRE else value.string_value
    if kind == "struct_value":
        return _from_signed({key: from_value(item) for key, item in value.struct_value.fields.items()})
    if kind == "list_value":
        return [from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        return number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    return None


def _from_signed(fields: dict) -> Any:
    signature = fields.get(SIG)
    if signature == SECRET_SIG:
        return secret(fields.get("value"))
    if signature == OUTPUT_SIG:
        inner = fields.get("value", UNKNOWN)
        return secret(inner) if fields.get("secret") else inner
    if signature in ASSET_SIGS:
        raise UnsupportedError(
            f"an {ASSET_SIGS[signature]} was passed to a resource; the embedded engine covers no resource that takes "
            "one. Use the pulumi CLI (PULUMI=pulumi) for this stack."
        )
    return fields


def to_struct(values: dict, struct: Any) -> None:
    """Write the Python form into the protobuf `struct`."""
    for key, value in values.items():
        to_value(value, struct.fields[key])


def to_value(value: Any, target: Any) -> None:
    """Write one value of the Python form into the protobuf `Value` `target`."""
    if value is None:
        target.null_value = 0
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_WIRE
    elif isinstance(value, Secret):
        fields = target.struct_value.fields
        fields[SIG].string_value = SECRET_SIG
        to_value(value.value, fields["value"])
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        for key, item in value.items():
            to_value(item, target.struct_value.fields[key])
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for item in value:
            to_value(item, target.list_value.values.add())
    else:
        raise TypeError(f"cannot send a {type(value).__name__} to the program")


def from_state(value: Any, opener: Callable[[str], str]) -> Any:
    """A value of a checkpoint in the Python form; ciphertexts are opened on first use."""
    if isinstance(value, dict):
        if value.get(SIG) == SECRET_SIG:
            if "ciphertext" in value:
                return Secret(ciphertext=value["ciphertext"], opener=opener)
            return Secret(json.loads(value["plaintext"]))
        return {key: from_state(item, opener) for key, item in value.items()}
    if isinstance(value, list):
        return [from_state(item, opener) for item in value]
    return UNKNOWN if value == UNKNOWN_WIRE else value


def to_state(value: Any, sealer: Callable[[str], str] | None) -> Any:
    """The Python form as JSON of a checkpoint; with `sealer` None secrets are shown as plaintext entries."""
    if isinstance(value, Secret):
        if sealer is None:
            return {SIG: SECRET_SIG, "plaintext": json.dumps(reveal(value), separators=(",", ":"))}
        if value.ciphertext is None:
            value.ciphertext = sealer(json.dumps(to_state(reveal(value), None), separators=(",", ":")))
        return {SIG: SECRET_SIG, "ciphertext": value.ciphertext}
    if isinstance(value, dict):
        return {key: to_state(item, sealer) for key, item in value.items()}
    if isinstance(value, list):
        return [to_state(item, sealer) for item in value]
    return UNKNOWN_WIRE if value is UNKNOWN else value

"""The engine's tables name exactly the inputs that the SDK's classes have, with their kinds."""

from __future__ import annotations

import inspect
import typing

import pulumi_docker
import pytest
from pulumi import _types

from stacks.engine.docker.base import MODULES, kind_of

NOT_COVERED = {
    # Building belongs to the image builder: refused by validate() with a message of its own.
    ("RemoteImage", "build"),
    ("RegistryImage", "build"),
}
SCALARS = {str: "str", int: "int", bool: "bool", float: "float"}


def arguments(cls) -> dict[str, tuple[bool, object]]:
    """Pulumi name -> (required, type) of an Args class, by the SDK's own reading of it."""
    names = _types.input_type_py_to_pulumi_names(cls)
    values = inspect.signature(cls.__init__).parameters
    required = {names.get(key, key) for key, item in values.items() if item.default is item.empty}
    return {key: (key in required, hint) for key, hint in _types.input_type_types(cls).items()}


def _element(hint) -> object:
    """The plain member of a union with futures and outputs."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Union else hint


def compare(fields, cls, path: str) -> list[str]:
    faults = []
    names = arguments(cls)
    inputs = {key: spec for key, spec in fields.items() if not spec.output}
    faults += [f"{path}.{key} is not in the SDK" for key in inputs.keys() - names.keys()]
    faults += [f"{path}.{key} is missing in the engine" for key in names.keys() - inputs.keys()]
    for key in names.keys() & inputs.keys():
        required, hint = names[key]
        spec = inputs[key]
        if required and not spec.required:
            faults.append(f"{path}.{key} is required by the SDK")
        faults += _kind_faults(spec, hint, f"{path}.{key}")
    return faults


def _kind_faults(spec, hint, path: str) -> list[str]:
    if hint in SCALARS:
        return [] if spec.kind == SCALARS[hint] else [f"{path} is {spec.kind}, the SDK says {hint.__name__}"]
    origin = typing.get_origin(hint)
    name = getattr(origin, "__name__", "")
    if name == "Mapping":
        return [] if spec.kind == "map" else [f"{path} is {spec.kind}, the SDK says a mapping"]
    if name == "Sequence":
        element = _element(typing.get_args(hint)[0])
        if element is str:
            return [] if spec.kind in ("list", "set") else [f"{path} is {spec.kind}, the SDK says a list of text"]
        if spec.kind not in ("objects", "objectset"):
            return [f"{path} is {spec.kind}, the SDK says a list of objects"]
        return compare(spec.fields, element, path)
    if isinstance(hint, type) and hint.__name__.endswith("Args"):
        return compare(spec.fields, hint, path) if spec.kind == "object" else [f"{path} is {spec.kind}, not an object"]
    return [f"{path}: type {hint!r} is not understood"]


@pytest.mark.parametrize("token", sorted(MODULES))
def test_inputs_are_those_of_the_sdk(token):
    name = token.rsplit(":", 1)[1]
    kind = kind_of(token)
    fields = {key: spec for key, spec in kind.fields.items() if (name, key) not in NOT_COVERED}
    names = arguments(getattr(pulumi_docker, f"{name}Args"))
    assert names, "the SDK class has no arguments: the introspection is broken"
    faults = [
        fault
        for fault in compare(fields, getattr(pulumi_docker, f"{name}Args"), name)
        if not any(fault.startswith(f"{a}.{b} is missing") for a, b in NOT_COVERED)
    ]
    assert faults == []


def test_a_wrong_table_is_noticed():
    from stacks.engine.schema import integer

    fields = dict(kind_of("docker:index/volume:Volume").fields, driver=integer(), extra=integer())
    faults = compare(fields, pulumi_docker.VolumeArgs, "Volume")
    assert sorted(faults) == ["Volume.driver is int, the SDK says str", "Volume.extra is not in the SDK"]

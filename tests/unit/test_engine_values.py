"""Property values survive the wire and the checkpoint; secrets stay secret."""

from __future__ import annotations

import json

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from stacks.engine import values
from stacks.engine.errors import UnsupportedError
from stacks.engine.values import UNKNOWN, Secret, annotate_secrets, from_state, from_struct, to_state, to_struct

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=12,
)


def sealed(text: str) -> str:
    return "v1:" + text.encode().hex()


def opened(text: str) -> str:
    return bytes.fromhex(text.removeprefix("v1:")).decode()


@given(st.dictionaries(st.text(min_size=1, max_size=5), PLAIN, max_size=4))
def test_plain_values_survive_wire_and_checkpoint(data):
    struct = struct_pb2.Struct()
    to_struct(data, struct)
    assert from_struct(struct) == data
    assert from_state(json.loads(json.dumps(to_state(data, sealed))), opened) == data


def test_secrets_and_unknowns_survive_the_wire():
    struct = struct_pb2.Struct()
    to_struct({"a": Secret("x"), "b": UNKNOWN, "c": [Secret({"d": 1.5})]}, struct)
    back = from_struct(struct)
    assert back["a"] == Secret("x") and back["b"] is UNKNOWN and back["c"] == [Secret({"d": 1.5})]


def test_no_plain_secret_reaches_the_checkpoint():
    record = json.dumps(to_state({"a": Secret("hunter2"), "b": [{"c": Secret("hunter3")}]}, lambda text: "v1:n:c"))
    assert "hunter" not in record
    assert record.count("v1:n:c") == 2


def test_a_secret_shows_in_no_text():
    item = {"password": Secret("hunter2"), "list": [Secret(["hunter2"])]}
    assert "hunter2" not in repr(item) + str(item) + f"{item['password']}"


def test_a_known_ciphertext_is_kept_while_the_value_stays():
    old = from_state(to_state({"a": Secret("x")}, sealed), opened)
    result = values.reseal({"a": Secret("x")}, old)
    changed = values.reseal({"a": Secret("y")}, old)
    assert result["a"].ciphertext == sealed('"x"')
    assert changed["a"].ciphertext is None


def test_a_list_with_one_secret_becomes_secret_as_a_whole_and_an_object_does_not():
    inputs = {"labels": [{"value": Secret("x")}], "env": {"A": Secret("x"), "B": "y"}}
    outputs = annotate_secrets({"labels": [{"value": "x"}], "env": {"A": "x", "B": "y"}}, inputs)
    assert outputs == {"labels": Secret([{"value": "x"}]), "env": {"A": Secret("x"), "B": "y"}}


def test_assets_are_refused_by_name():
    struct = struct_pb2.Struct()
    struct.update({"file": {values.SIG: "c44067f5952c0a294b673a41bacd8c17", "text": "x"}})
    with pytest.raises(UnsupportedError, match="an asset was passed"):
        from_struct(struct)

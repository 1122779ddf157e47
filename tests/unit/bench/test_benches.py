"""Benches run rarely and for long: what they call takes what they give, so that none fails at its first step."""

import ast
import importlib
import inspect

import pytest

from inventory import paths
from tests.bench.__main__ import BENCHES

INSIDE = "tests.bench.database_client"  # runs in a container, with what is installed there
FILES = {f"tests.bench.{file.stem}" for file in (paths.ROOT / "tests/bench").glob("[a-z]*.py")}
MODULES = sorted(FILES - {INSIDE})
OURS = ("inventory", "stacks", "tests")  # what others wrote may take anything, and is not ours to keep in step


def test_every_bench_is_looked_at():
    assert {module for module, _ in BENCHES.values()} <= set(MODULES) and INSIDE in FILES


def called(module, node):
    """What a call's name stands for in its module: a function or class of ours, or None."""
    path, item = ast.unparse(node.func).split("."), module
    for name in path:
        item = getattr(item, name, None)
    own = inspect.isroutine(item) or inspect.isclass(item)
    return item if own and str(item.__module__).split(".")[0] in OURS else None


def misfits(module, source):
    """How many calls were looked at, and those that their function would refuse: "line: why"."""
    count, wrong = 0, []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or (function := called(module, node)) is None:
            continue
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            continue
        count += 1
        try:
            inspect.signature(function).bind(*node.args, **{keyword.arg: keyword.value for keyword in node.keywords})
        except TypeError as error:
            wrong.append(f"line {node.lineno}, {ast.unparse(node.func)}: {error}")
    return count, wrong


@pytest.mark.parametrize("name", MODULES)
def test_its_calls_fit(name):
    module = importlib.import_module(name)
    count, wrong = misfits(module, inspect.getsource(module))
    assert count > 0 and not wrong, wrong


def test_a_call_that_does_not_fit_is_seen():
    module = importlib.import_module("tests.bench.systems_load")
    assert misfits(module, "permit(runtime, register, municipality, CLERK, [])") == (1, [])
    assert misfits(module, "permit(runtime, cell, [])")[1] == [
        "line 1, permit: missing a required argument: 'username'"
    ]

"""A name says what a thing is: `rows`, `reply`, `expected`, not `found`, `said`, `wanted`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from inventory import paths

ROOMS = ("inventory", "stacks", "centre", "roles", "playbooks", "checks", "systems", "tests")
PARTICIPLES = (
    "asked|begun|believed|caught|chosen|done|drawn|found|given|gone|held|kept|known|left|listed|looked|made|named|said|"
    "seen|sent|shown|stored|taken|told|tried|typed|wanted|written"
)
# Place → names that are right there, and why.
ALLOWED = {
    "inventory": ({"written"}, "the register as its files have it, before anything is derived from it"),
    "systems/core/people.py": ({"given"}, "a given name"),
    "systems/exchange/importing.py": ({"seen", "wanted"}, "the two halves of a fault's message, named as it has them"),
}
RECORDED = "tests/conformance"  # programs as the CLI ran them for its recordings
PARTICIPLE = re.compile(rf"_*(?:{PARTICIPLES})_*")
# What comes after a name that is bound. Most texts hold none of these, and are not parsed.
BINDING = re.compile(rf"(?<![\w.])_?(?:{PARTICIPLES})\s*(?:[=:,()\]]|in\b)")


def _attributes(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Fields and methods: attributes, which are read with the thing that they are of (`state.known`)."""
    for owner in nodes:
        for statement in owner.body if isinstance(owner, ast.ClassDef) else ():
            if isinstance(statement, ast.AnnAssign):
                yield statement.target
            elif isinstance(statement, ast.Assign):
                yield from statement.targets
            else:
                yield statement


def bare(text: str) -> Iterator[tuple[int, str]]:
    """(line, name) of every variable, argument, function and fixture that a bare participle names."""
    nodes = [*ast.walk(ast.parse(text))]
    attributes = set(_attributes(nodes))
    for node in nodes:
        match node:
            case (
                ast.Name(id=name, ctx=ast.Store())
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ExceptHandler(name=str(name))
            ) if PARTICIPLE.fullmatch(name) and node not in attributes:
                yield node.lineno, name


def bare_in_all_files() -> Iterator[tuple[str, int, str]]:
    """(file, line, name)."""
    files = [file for room in ROOMS for file in (paths.ROOT / room).rglob("*.py")]
    assert len(files) > 1000
    for file in files:
        place, text = str(file.relative_to(paths.ROOT)), file.read_text(encoding="utf-8")
        if not place.startswith(RECORDED) and BINDING.search(text):
            yield from ((place, line, name) for line, name in bare(text))


def test_no_participle_stands_for_a_thing():
    faults, unused = [], {(place, name) for place, (names, _) in ALLOWED.items() for name in names}
    for place, line, name in bare_in_all_files():
        allowances = {(at, name) for at, (names, _) in ALLOWED.items() if place.startswith(at) and name in names}
        unused -= allowances
        if not allowances:
            faults.append(f"{place}:{line}: {name}")
    assert not faults, "a bare participle says nothing of the thing; name it `rows`, `reply`, `expected`, …"
    assert not unused, "allowed, but no longer there"


@pytest.mark.parametrize(
    "text",
    [
        "found = 1",
        "for seen in x: pass",
        "a, (b, *told) = x",
        "with x as made: pass",
        "try: pass\nexcept E as caught: pass",
        "def f(wanted): pass",
        "def said(): pass",
        "def _said(): pass",
        "x(lambda listed: 1)",
        "[1 for kept in x]",
        "if (left := 1): pass",
        "class A:\n def f(self, known): pass",
    ],
)
def test_each_way_to_bind_a_name_is_looked_at(text):
    assert BINDING.search(text) and len([*bare(text)]) == 1


@pytest.mark.parametrize(
    "text", ["x.found = 1", "f(seen=1)", "class A:\n known: int\n def left(self): pass", "found_at = 1"]
)
def test_attributes_keywords_and_longer_names_are_free(text):
    assert [*bare(text)] == []

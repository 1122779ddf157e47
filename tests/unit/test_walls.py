"""Walls between the rooms of the project: who may import whom, and why. Read from the code's own imports.

A failing test prints the arrow that breaks a wall: move the line to where it belongs, do not widen the wall.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from inventory import paths

OURS = ("inventory", "stacks", "centre", "roles", "playbooks", "checks", "systems", "tests")
IMAGES = "stacks.images"
SYSTEMS = sorted(file.parent.name for file in (paths.ROOT / "systems").glob("*/urls.py"))
SHELL = ("shared", "core", "chain", "exchange", "shell", "tenant_db")  # ground floors under the systems
PULUMI = ("pulumi", "pulumi_docker", "grpc")


@dataclass(frozen=True)
class Arrow:
    """One import: the module that imports, the line, and what it imports (module, or module and name)."""

    file: str
    line: int
    module: str
    target: str
    hidden: bool = False  # inside a function

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.module} → {self.target}"


def _module(file: Path) -> str:
    parts = file.relative_to(paths.ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def files() -> tuple[Path, ...]:
    """The project's own Python files, tests and recorded programs left out."""
    python_files = [
        file
        for room in OURS
        if room != "tests"
        for file in sorted((paths.ROOT / room).rglob("*.py"))
        if "__pycache__" not in file.parts
    ]
    return tuple(python_files)


def _arrows(file: Path) -> Iterator[Arrow]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    module, place = _module(file), str(file.relative_to(paths.ROOT))
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    top = {id(node) for statement in tree.body for node in _outside_functions(statement)}
    for node in ast.walk(tree):
        hidden = id(node) not in top
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Arrow(place, node.lineno, module, alias.name, hidden)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")
                above = above[: len(above) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                yield Arrow(place, node.lineno, module, f"{base}.{alias.name}", hidden)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    for child in ast.iter_child_nodes(node):
        yield from _outside_functions(child)


@cache
def arrows() -> tuple[Arrow, ...]:
    return tuple(arrow for file in files() for arrow in _arrows(file))


@cache
def modules() -> frozenset[str]:
    return frozenset(_module(file) for file in files())


def inside(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def own(name: str) -> bool:
    return inside(name, *OURS)


def broken(of: str, *, but: tuple[str, ...] = (), to=own, allowed: tuple[str, ...] = ()) -> list[str]:
    """Arrows out of a room to where `to` says no, besides the room itself and what is allowed."""
    return [
        str(arrow)
        for arrow in arrows()
        if inside(arrow.module, of) and not (but and inside(arrow.module, *but))
        if to(arrow.target) and not inside(arrow.target, *allowed)
    ]


def none(lines: list[str], because: str) -> None:
    assert not lines, f"{because}; seen:\n" + "\n".join(lines)


def test_the_tree_was_read():
    assert len(files()) > 400 and len(arrows()) > 2500
    assert {"inventory.register", "centre.reach.runtime", "stacks.components.service"} <= modules()
    assert len(SYSTEMS) == 13


def test_the_register_stands_on_nothing_but_the_shared_words():
    because = "what should exist must be readable without hosting, daemon or Django"
    none(broken("inventory", allowed=("inventory", "systems.shared")), because)


def test_the_shared_words_need_only_the_standard_library():
    because = "the register, the stacks and thirteen systems stand on them, in three Python environments"
    third = re.compile(r"django|pydantic|yaml|psycopg|requests|cryptography|joserfc|holidays")
    none(broken("systems.shared", to=lambda name: own(name) or bool(third.match(name)),
                allowed=("systems.shared",)), because)  # fmt: skip


def test_stacks_touch_no_running_service():
    because = "what is provisioned is written down, never asked of what runs; hands are in centre/"
    allowed = ("stacks", "inventory", "systems.shared")
    none(broken("stacks", but=("stacks.engine", IMAGES), allowed=allowed), because)
    none(broken("stacks", but=("stacks.engine", IMAGES), to=lambda name: inside(name, "docker", "paramiko")), because)
    none(broken("stacks", to=lambda name: inside(name, "centre", "checks", "playbooks", "roles")), because)


def test_configurations_are_plain_python():
    because = "texts and paths are tested and read without Pulumi, in milliseconds"
    none(broken("stacks.configs", to=lambda name: inside(name, *PULUMI, "stacks.components", "stacks.engine")), because)


@pytest.mark.parametrize("room", ["centre", "checks", "playbooks", "roles"])
def test_hands_and_checks_know_no_pulumi(room):
    because = "a running centre is what it is, whoever made it; and Pulumi takes two seconds to import"
    forbidden = (*PULUMI, "stacks.components", "stacks.engine")
    none(broken(room, to=lambda name: inside(name, *forbidden)), because)


def test_hands_know_neither_checks_nor_plays():
    none(broken("centre", to=lambda name: inside(name, "checks", "playbooks", "roles")), "checks and plays use hands")


def test_the_endpoint_collection_stands_alone():
    room = "playbooks.collections.ansible_collections.asp.endpoint"
    assert len({arrow.module for arrow in arrows() if inside(arrow.module, room)}) >= 6
    because = "municipal IT installs it without this project"
    none(broken(room, to=lambda name: own(name) or inside(name, "ansible_collections.asp.centre")), because)


def test_checks_change_nothing():
    because = "checks read; plays change"
    none(broken("checks", to=lambda name: inside(name, "playbooks", "roles", "centre.verbs")), because)


def test_systems_know_nothing_of_the_hosting():
    because = "an app server's image holds systems/ and nothing else"
    none(broken("systems", allowed=("systems",)), because)


def test_no_system_imports_another():
    because = "systems speak by messages; one's models are in its own server only"
    wrong = [
        str(arrow)
        for arrow in arrows()
        for one in SYSTEMS
        if inside(arrow.module, f"systems.{one}")
        and any(inside(arrow.target, f"systems.{other}") for other in SYSTEMS if other != one)
    ]
    none(wrong, because)


def test_the_ground_under_the_systems_is_in_floors():
    floors = ["shared", "core", "chain", "exchange", "shell"]
    wrong = [
        str(arrow)
        for level, floor in enumerate(floors)
        for arrow in arrows()
        if inside(arrow.module, f"systems.{floor}")
        and inside(arrow.target, *(f"systems.{name}" for name in (*floors[level + 1 :], *SYSTEMS)))
    ]
    # What keeps nobody out: the two floors over the chain do not need one another.
    none(wrong, f"each of {', '.join(floors)} stands on those before it")


def test_the_engine_is_a_product_of_its_own():
    none(broken("stacks.engine", allowed=("stacks.engine",)), "the engine runs any Pulumi program, not only ours")


def test_image_programs_import_what_is_copied_with_them():
    because = "in its container a program has the files of its image and nothing else"
    contexts = {file.parent.name for file in (paths.ROOT / "stacks" / "images").glob("*/Dockerfile")}
    assert len(contexts) >= 8
    wrong = [
        str(arrow)
        for arrow in arrows()
        if (parts := arrow.module.split("."))[:2] == IMAGES.split(".") and len(parts) > 2 and parts[2] in contexts
        if own(arrow.target) and parts[2] != "app"
    ]
    none(wrong, because)


def _target(arrow: Arrow) -> str | None:
    """The module of ours that an arrow ends at."""
    for name in (arrow.target, arrow.target.rpartition(".")[0]):
        if name in modules():
            return name
    return None


def test_no_circle_of_modules():
    graph: dict[str, set[str]] = {}
    for arrow in arrows():
        target = _target(arrow)
        # A package's face hands names on: whoever imports the package stands on it, its own rooms do not.
        if target and target != arrow.module and not arrow.module.startswith(f"{target}."):
            graph.setdefault(arrow.module, set()).add(target)
    circles = [circle for circle in _strong(graph) if len(circle) > 1]
    lines = [
        str(arrow)
        for circle in circles
        for arrow in arrows()
        if arrow.module in circle and _target(arrow) in circle - {arrow.module}
    ]
    none(lines, "two modules that need each other are one, or a third")


def _strong(graph: dict[str, set[str]]) -> list[set[str]]:
    """Strongly connected components (Tarjan), without recursion limits for our few hundred modules."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    results: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            component = set()
            while node not in component:
                component.add(stack.pop())
            results.append(component)

    for node in list(graph):
        if node not in index:
            visit(node)
    return results


CENTRE_COLLECTION = "playbooks/collections/ansible_collections/asp/centre"
# Imports in functions that dodge no circle: what a program needs only once it knows that it runs at all.
LATE = {
    "systems/synthetic.py": "Django is set up first",
    "systems/gunicorn.py": "gunicorn reads its configuration before it imports the application",
    f"{CENTRE_COLLECTION}/plugins/inventory/register.py": "an inventory plugin finds the project's root first",
    "checks/plugin.py": "judging a recording needs no probe, and no Docker",
    "checks/__main__.py": "asking for help waits for no pytest",
    "checks/command.py": "judging a recording needs no probe, and no Docker",
}


def test_no_import_is_hidden_in_a_function():
    wrong = [str(arrow) for arrow in arrows() if arrow.hidden and own(arrow.target) and arrow.file not in LATE]
    none(wrong, "an import in a function hides a circle, or a cost that should be seen")


def test_every_exception_is_still_needed():
    late = {arrow.file for arrow in arrows() if arrow.hidden and own(arrow.target)}
    assert not set(LATE) - late, f"no late import any more: {sorted(set(LATE) - late)}"

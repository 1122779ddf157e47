"""What people read on the systems' pages: text of templates, labels and messages, and where each word stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from inventory import paths

SYSTEMS = paths.ROOT / "systems"
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
HUNGARIAN = re.compile("[áéíóöőúüű]", re.I)  # of a string in code: without these letters it is a name, not a sentence
NOT_READ = re.compile(r"\{%\s*comment.*?endcomment\s*%\}|<style.*?</style>|<script.*?</script>", re.S)
TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}|<[^>]*>", re.S)
VALUE = re.compile(r"\{\{.*?\}\}|\{[a-z_]*\}", re.S)  # is put in when the page is made
GLUED = re.compile(r"[\w-]*\0[\w-]*")  # endings that a value takes: 5-nél
SPOKEN = re.compile(r'(?:placeholder|aria-label|title|data-label|failed|submit|lead)="([^"{]*)"|default:"([^"]*)"')


def texts(system: str) -> Iterator[tuple[Path, str]]:
    """(file, text) of everything that a system shows or says."""
    folder = SYSTEMS / system
    for file in sorted(folder.rglob("*.html")):
        source = NOT_READ.sub(" ", file.read_text(encoding="utf-8"))
        yield from ((file, "".join(groups)) for groups in SPOKEN.findall(source))
        yield file, _plain(TAG.sub(" ", source))
    for file in sorted(folder.rglob("*.py")):
        if "migrations" not in file.parts:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            yield from ((file, _plain(text)) for text in _strings(tree) if HUNGARIAN.search(text))


def systems() -> list[str]:
    """Every package of the systems' project that speaks to people."""
    return sorted(folder.name for folder in SYSTEMS.iterdir() if (folder / "__init__.py").exists())


def _plain(text: str) -> str:
    """Without the values that are put in, and what is glued to them."""
    return GLUED.sub(" ", VALUE.sub("\0", text))


def _strings(tree: ast.Module) -> Iterator[str]:
    """String constants but docstrings; of one with values in it the whole."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    skip = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skip |= {id(part) for part in node.values}
            yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skip:
            yield node.value

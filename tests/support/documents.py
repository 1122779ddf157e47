"""What can be wrong with the project's Markdown: each function gives one line for each fault that it finds.

All take the root of a tree, so that tests can plant faults in a small one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from checks.catalogue import anchors

WIDTH = 120
# Folders whose paths documents name, and packages whose modules they name.
ROOMS = ("inventory", "stacks", "centre", "roles", "playbooks", "checks", "systems", "tests", "docs")
# Files that exist at an operator's only, once they are needed.
MADE_LATER = ("inventory/environments/*/waivers.yaml",)
# Papers that were never part of the repository: what is needed of them is in docs/.
FOREIGN = re.compile(r"\b(DESIGN|PITFALLS|DOMAIN|RECIPES|TARGETS)\b|(?<![\w/.-])(\.\./)*shared/")
BENCH = re.compile(r"\b(B1|B2|D1|D2|D3|E1|E3|I1|I2|N1|T1|T2|CELL|SYS)\b")

CODE = re.compile(r"```.*?```", re.S)
COMMENT = re.compile(r"<!--.*?-->", re.S)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
UNBREAKABLE = re.compile(r"(?:`[^`]*`|!?\[[^\]]*\]\([^)]*\)|[^\s`\[]|\[|`)+")
SUFFIXES = (".py", ".yaml", ".yml", ".md", ".json", ".toml", ".j2", ".html", ".lock", ".jsonl", ".txt")


def files(root: Path) -> list[Path]:
    """Every Markdown file of the tree, hidden folders (state, caches, environments) left out."""
    paths = (file.relative_to(root) for file in root.rglob("*.md"))
    return [root / file for file in sorted(paths) if not any(part.startswith(".") for part in file.parts)]


def too_wide(root: Path) -> Iterator[str]:
    """Lines over 120 columns. A table's row cannot be broken, nor a line that is one link or one command."""
    for file in files(root):
        for number, line in enumerate(_lines(file), 1):
            words = UNBREAKABLE.findall(re.sub(r"^\s*([-*]|\d+\.)\s+", "", line))
            if len(line) > WIDTH and not line.startswith("|") and len(words) > 1:
                yield f"{_place(root, file)}:{number}: {len(line)} columns, wanted at most {WIDTH}"


def foreign(root: Path) -> Iterator[str]:
    """Citations of papers that are not in the repository."""
    for file in files(root):
        for number, line in enumerate(_lines(file), 1):
            for match in FOREIGN.finditer(line):
                yield f"{_place(root, file)}:{number}: cites {match[0]!r}, which is not in the repository"


def dead_links(root: Path) -> Iterator[str]:
    """Relative links to files or sections that are not there."""
    for file in files(root):
        text = CODE.sub("", file.read_text(encoding="utf-8"))
        for target in LINK.findall(SPAN.sub("`", text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = (file.parent / path).resolve() if path else file
            if not goal.exists() or not goal.is_relative_to(root.resolve()):
                yield f"{_place(root, file)}: link to {target}: no such file"
            elif anchor and anchor not in anchors(goal):
                yield f"{_place(root, file)}: link to {target}: no such section"


def dead_paths(root: Path) -> Iterator[str]:
    """Paths and modules of the project that are named between backticks or in code, and do not exist.

    A placeholder in angle brackets, or a star, stands for any name; at least one file must fit.
    """
    for file in files(root):
        text = COMMENT.sub("", file.read_text(encoding="utf-8"))
        code = " ".join(CODE.findall(text))
        spans = [*SPAN.findall(CODE.sub("", text)), code]
        for word in dict.fromkeys(word for span in spans for word in re.split(r"[\s,;()\"'→]+", span)):
            word = word.split("::")[0].rstrip(".:…").removesuffix("/")
            if not _exists(root, word):
                yield f"{_place(root, file)}: {word}: no such path or module in the repository"


def lonely_benches(root: Path) -> Iterator[str]:
    """Ids of benches in a paragraph or table that does not say what they are."""
    for file in files(root):
        text = SPAN.sub("", CODE.sub("", COMMENT.sub("", file.read_text(encoding="utf-8"))))
        for block in re.split(r"\n\s*\n", text):
            for match in BENCH.finditer(block):
                if not re.search(r"\bbench", block, re.I):
                    yield f"{_place(root, file)}: {match[0]} in {block.strip()[:60]!r} without a word of what it is"


def unlisted(root: Path, index: Path) -> Iterator[str]:
    """Documents that the index by reader does not link to; decisions have an index of their own."""
    text = index.read_text(encoding="utf-8")
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(text)}
    for file in files(root):
        decision = file.parent.name == "adr" and file.name != "README.md"
        hub = file == index or file.parent == root
        if not decision and not hub and file.resolve() not in linked:
            yield f"{_place(root, file)}: is not in {_place(root, index)}"


def _exists(root: Path, word: str) -> bool:
    """Whether a word is no path of ours, or one that exists."""
    if not re.fullmatch(r"[\w<>*.-]+(/[\w<>*.-]+)*", word) or word.startswith((".", "-", "<", "*")):
        return True
    room = re.split(r"[/.]", word)[0]
    pattern = re.sub(r"<[^>]*>", "*", word)
    if "/" in word:
        if room in ROOMS:
            return pattern in MADE_LATER or any(root.glob(pattern))
        return not word.endswith(SUFFIXES) or any(fnmatch(path, f"*/{pattern}") for path in _tree(root))
    if word.endswith(".py"):
        return any(fnmatch(path, f"*/{pattern}") for path in _tree(root))
    if word.endswith(SUFFIXES) or "*" in pattern or room not in ROOMS or "." not in word:
        return True
    return word in _check_ids(root) or _is_module(root, word.split("."))


def _is_module(root: Path, parts: list[str]) -> bool:
    """Whether dotted parts are a package or module of the tree, or a name that one of them defines."""
    place = root
    for index, part in enumerate(parts):
        if (place / part).is_dir():
            place /= part
        elif (place / f"{part}.py").is_file():
            return index + 1 == len(parts) or _defines(place / f"{part}.py", parts[index + 1])
        else:
            return (place / "__init__.py").is_file() and _defines(place / "__init__.py", part)
    return True


def _defines(file: Path, name: str) -> bool:
    text = file.read_text(encoding="utf-8")
    return re.search(rf"^(def|class|from .* import .*|import .*) ?\b{name}\b|^{name}\b", text, re.M) is not None


@cache
def _tree(root: Path) -> tuple[str, ...]:
    rooms = [root / room for room in ROOMS if (root / room).is_dir()]
    return tuple(f"/{path.relative_to(root)}" for room in rooms for path in room.rglob("*") if path.is_file())


@cache
def _check_ids(root: Path) -> frozenset[str]:
    """Ids of checks: they look like modules of `centre`."""
    catalogue = root / "checks" / "catalogue.yaml"
    return frozenset(re.findall(r"\bid: ([\w.-]+)", catalogue.read_text()) if catalogue.is_file() else ())


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _place(root: Path, file: Path) -> str:
    return str(file.relative_to(root))

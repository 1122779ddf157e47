"""What runs in a container is a file of its image, and every image has all that its programs import."""

from __future__ import annotations

import ast
import re
import sys

import pytest

from inventory import paths
from stacks.images.build.recipe import IMAGES, Tree, downloads

OF_DEBIAN = {"postgres": {"patroni"}}  # from the packages of its Dockerfile
CONTEXTS = sorted(file.parent for file in IMAGES.glob("*/*/__init__.py") if file.parent.parent.name != "shared")


def packages(image):
    """Python packages of an image: name → folder, its own and those that its downloads copy."""
    own = {file.parent.name: file.parent for file in (IMAGES / image).glob("*/__init__.py")}
    copied = {entry.file: paths.ROOT / entry.path for entry in downloads(image) if isinstance(entry, Tree)}
    return own, copied


def imports(folder):
    """Top names of what the modules of a package import."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{file}: write the package's name"
                yield node.module.split(".")[0]


IMAGES_WITH_PACKAGES = sorted({folder.parent.name for folder in CONTEXTS} - {"build", "engine"})


def test_there_are_images_with_programs():
    assert IMAGES_WITH_PACKAGES == ["edge", "etcd", "postgres"]


@pytest.mark.parametrize("image", IMAGES_WITH_PACKAGES)
def test_an_image_has_what_its_programs_import_and_nothing_that_none_does(image):
    own, copied = packages(image)
    used = {name for folder in (own | copied).values() for name in imports(folder)} - sys.stdlib_module_names
    assert used - OF_DEBIAN.get(image, set()) <= set(own | copied)
    assert set(copied) <= {name for folder in own.values() for name in imports(folder)}


@pytest.mark.parametrize("image", IMAGES_WITH_PACKAGES)
def test_an_image_takes_in_every_package_and_every_program_of_its_folder(image):
    own, copied = packages(image)
    recipe = (IMAGES / image / "Dockerfile").read_text()
    programs = [file.name for file in (IMAGES / image).iterdir() if file.is_file() and file.read_text()[:2] == "#!"]
    assert programs
    for name in [*own, *copied, *programs]:
        assert re.search(rf"(?m)^(COPY|    ).*(?<![\w-]){re.escape(name)}(?![\w-])", recipe), f"{name} is not copied"


def test_the_shared_package_needs_nothing_but_python():
    folder = IMAGES / "shared" / "asp_service"
    assert set(imports(folder)) <= sys.stdlib_module_names | {"asp_service"}


def test_no_program_for_a_container_stands_in_a_string():
    """Nobody lints or tests them there. Left out: the pace of health checks, which any image must be able to run."""
    begins_a_program = re.compile(r"^(set -euo? pipefail|import \w+(, \w+)*)$", re.MULTILINE)
    wrong = []
    for room in ("centre/backup", "centre/database", "centre/reach", "stacks", "checks"):
        for file in (paths.ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and begins_a_program.search(node.value)
                ):
                    wrong.append(f"{file.relative_to(paths.ROOT)}:{node.lineno}")
    assert wrong == []


def test_each_trade_has_a_module_of_its_own():
    longest = {
        str(file.relative_to(IMAGES)): len(file.read_text().splitlines())
        for folder in CONTEXTS
        for file in folder.rglob("*.py")
    }
    assert {name: lines for name, lines in longest.items() if lines > 220} == {}

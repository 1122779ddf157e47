"""The wheel is whole: installed without the repository it explains itself and validates a register."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from inventory import paths
from systems.shared.version import NAME, version

PACKAGES = ("inventory", "stacks", "centre", "systems", "checks")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


def run(*argv: object, folder: Path, check: bool = True, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ASP_", "PYTHON"))}
    process = subprocess.run(
        [str(word) for word in argv], cwd=folder, env={**clean, **environ}, capture_output=True, text=True, timeout=300
    )
    assert not check or process.returncode == 0, process.stdout + process.stderr
    return process


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy: building leaves folders behind. Without isolation: the lock has the builder."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(paths.ROOT / name, folder / "source" / name, ignore=IGNORED)
    for name in ("pyproject.toml", "LICENSE"):
        if (paths.ROOT / name).is_file():
            shutil.copy2(paths.ROOT / name, folder / "source")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    run(*pip, "-w", folder, folder / "source", folder=folder)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Folder of commands of an environment that has the wheel, and the dependencies of this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False)
    commands = folder / "venv" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", commands / "python", "install", "-q", "--no-deps", "--no-index"]
    run(*pip, wheel, folder=folder)
    (site,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return commands


def test_every_file_of_the_packages_is_in_it(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    there = {
        str(file.relative_to(paths.ROOT))
        for name in PACKAGES
        for file in (paths.ROOT / name).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert packed == there
    assert {"stacks/engine/cli.py", "inventory/catalogue/sla.yaml", "stacks/images/app/Dockerfile"} <= packed


def test_its_version_is_the_projects(wheel):
    assert wheel.name.startswith(f"{NAME.replace('-', '_')}-{version()}-")


def test_asp_explains_itself(installed, tmp_path):
    assert "exit codes:" in run(installed / "asp", "--help", folder=tmp_path).stdout
    assert run(installed / "asp", "--version", folder=tmp_path).stdout == f"asp {version()}\n"


def test_asp_validates_the_register_that_it_brings(installed, tmp_path):
    assert "environment dev is sound" in run(installed / "asp", "validate", "dev", folder=tmp_path).stdout


def test_asp_validates_a_register_given_to_it(installed, tmp_path):
    root = tmp_path / "register"
    shutil.copytree(paths.REGISTER / paths.CATALOGUE, root / paths.CATALOGUE)
    shutil.copytree(paths.ENVIRONMENTS / "dev", root / "environments" / "dev")
    words = ("validate", "dev", "--json")
    answer = json.loads(run(installed / "asp", *words, folder=tmp_path, ASP_REGISTER=str(root)).stdout)
    assert answer["sound"] is True
    (root / "environments" / "dev" / "offices" / "16054-sajoszentpeter.yaml").unlink()
    result = run(installed / "asp", "validate", "dev", "--register", root, folder=tmp_path, check=False)
    assert result.returncode == 2 and "office" in result.stderr


@pytest.mark.parametrize("verb", ["up", "check"])
def test_what_needs_the_repository_is_refused(installed, tmp_path, verb):
    """Playbooks, image recipes, and the runbooks that checks point at are not in a wheel."""
    result = run(installed / "asp", verb, folder=tmp_path, check=False)
    assert result.returncode == 2 and f"asp {verb} needs a checkout of the repository" in result.stderr


def test_the_engine_is_in_it(installed, tmp_path):
    result = run(installed / "python", "-m", "stacks.engine", "version", folder=tmp_path)
    assert result.stdout.startswith("v3.")

"""One version, wherever it is asked for."""

from __future__ import annotations

import tomllib
from importlib import metadata

import pytest

from inventory import paths
from stacks.images.build import recipe
from systems.shared import version as versions
from systems.shared.version import VARIABLE, version


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    version.cache_clear()
    yield
    version.cache_clear()


def test_a_checkout_says_what_its_file_says():
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    assert version() == project["version"]


def test_an_image_says_what_it_was_built_as(monkeypatch):
    monkeypatch.setenv(VARIABLE, "7.8.9")
    assert version() == "7.8.9"


def test_an_installed_package_says_what_its_metadata_say(monkeypatch, tmp_path):
    monkeypatch.setattr(versions.metadata, "version", lambda name: {"asp-suite": "1.2.3"}[name])
    assert version(tmp_path) == "1.2.3"


def test_another_projects_file_is_not_ours(monkeypatch, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "9"\n')

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(versions.metadata, "version", missing)
    assert version(tmp_path) == versions.UNKNOWN


def test_the_app_servers_image_is_given_it_and_renamed_with_it(monkeypatch):
    assert recipe.arguments("app") == {VARIABLE: version()}
    assert recipe.arguments("edge") == {}
    recipe.reference.cache_clear()
    before = recipe.reference("app"), recipe.reference("edge")
    monkeypatch.setenv(VARIABLE, "7.8.9")
    version.cache_clear()
    recipe.reference.cache_clear()
    after = recipe.reference("app"), recipe.reference("edge")
    recipe.reference.cache_clear()
    assert before[0] != after[0] and before[1] == after[1]

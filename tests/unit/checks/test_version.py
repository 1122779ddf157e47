"""The suite says which release it is, installed or not."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError

from checks import version
from inventory import paths


def test_an_installed_suite_says_its_version(monkeypatch):
    monkeypatch.setattr(version, "version", lambda name: {"asp-suite": "9.8.7"}[name])
    assert version.suite_version.__wrapped__() == "9.8.7"


def test_a_checkout_says_what_its_project_file_names(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(version, "version", missing)
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version.suite_version.__wrapped__() == project["version"]

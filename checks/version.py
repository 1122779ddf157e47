"""Which release of the suite judges."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from inventory import paths


@cache
def suite_version() -> str:
    """Version of the installed suite; in a checkout that is not installed, the one that pyproject.toml names."""
    try:
        return version("asp-suite")
    except PackageNotFoundError:
        project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return str(project["version"])

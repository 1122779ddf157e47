"""The suite's version, for whoever shows it: `asp --version`, reports, pages. It stands in `pyproject.toml` alone."""

from __future__ import annotations

import os
from functools import cache
from importlib import metadata
from pathlib import Path

NAME = "asp-suite"
VARIABLE = "ASP_VERSION"  # set by the app servers' image, which holds neither pyproject.toml nor an installed package
UNKNOWN = "0+unknown"
ROOT = Path(__file__).resolve().parents[2]


@cache
def version(root: Path = ROOT) -> str:
    """The version of the code that runs, such as `0.2.0`.

    A checkout's own file comes first: the metadata of an editable install says what held when it was installed.
    """
    if value := os.environ.get(VARIABLE):
        return value
    file = root / "pyproject.toml"
    if file.is_file():
        import tomllib  # here, so that a Python older than 3.11 gets as far as being refused by name

        project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == NAME:
            return str(project["version"])
    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return UNKNOWN

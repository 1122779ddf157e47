"""Makes `pytest checks --asp-env dev --tenant 16054` work as it is, without `-p checks.plugin`."""

from __future__ import annotations

import pytest

from checks import plugin


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.has_plugin("checks.plugin"):
        plugin.pytest_addoption(parser)


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin("checks.plugin"):
        plugin.pytest_configure(config)

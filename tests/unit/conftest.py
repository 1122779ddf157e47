"""What several folders of unit tests share."""

from __future__ import annotations

import pytest

from inventory.register import Register
from tests.unit.inventory.country import load_country


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Register:
    """The register of the whole country; not to be changed."""
    return load_country(tmp_path_factory)

"""Fixtures of the engine's tests."""

from __future__ import annotations

import pytest

from tests.engine.harness import Sandbox


@pytest.fixture
def sandbox(tmp_path):
    new = Sandbox(tmp_path).init()
    yield new
    new.close()

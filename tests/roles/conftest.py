"""A computer just installed, and a centre, for each scenario."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.roles import centre as centres
from tests.roles import workstation as workstations


@pytest.fixture(scope="module")
def workstation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[workstations.Workstation]:
    with workstations.workstation(tmp_path_factory.mktemp("workstation")) as running:
        yield running


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[centres.Centre]:
    with centres.centre(tmp_path_factory.mktemp("centre")) as serving:
        yield serving

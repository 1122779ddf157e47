"""Patroni of these tests does what Patroni does: tests/live/stacks/test_patroni_api.py is the other side."""

import pytest

from tests.contracts.patroni import PatroniContract
from tests.unit.stacks.images.asp_node.patroni import Patroni


@pytest.fixture
def cell():
    return Patroni({"n1": "leader", "n2": "quorum_standby"})


class TestPatroni(PatroniContract):
    pass

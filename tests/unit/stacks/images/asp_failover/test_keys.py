"""etcd of these tests does what etcd does: tests/live/stacks/test_etcd_keys.py is the other side."""

from types import SimpleNamespace

import pytest

from tests.contracts.etcd import KeysContract, LoginsContract
from tests.unit.stacks.images.asp_failover.cell import Logins, Wire


@pytest.fixture
def keys():
    wire = Wire()
    wire.keys.clear()
    return SimpleNamespace(etcd=wire, put=wire.put)


@pytest.fixture
def login():
    return lambda user=None, password="": Logins({"root": "r", "patroni": "p"}, user=user, password=password)


class TestKeys(KeysContract):
    pass


class TestLogins(LoginsContract):
    pass

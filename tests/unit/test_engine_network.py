"""A network is deleted when the daemon has no trace of it: Swarm answers before its node has let go of an overlay."""

from __future__ import annotations

import pytest

from stacks.engine.docker import network
from stacks.engine.docker.daemon import DaemonError


class Lingering:
    """A daemon that shows a removed network for so many more looks."""

    def __init__(self, looks: int):
        self.looks, self.removed = looks, []

    def remove_when_free(self, path, busy, limit):
        self.removed.append(path)

    def find(self, path):
        assert self.removed == [path]
        self.looks -= 1
        return {"Id": "n1"} if self.looks >= 0 else None


def test_a_deletion_ends_when_the_network_is_gone():
    daemon = Lingering(3)
    network.KIND.delete(daemon, "n1", {"name": "apps"}, 30)
    assert daemon.removed == ["/networks/n1"] and daemon.looks == -1


def test_a_network_that_stays_is_told():
    with pytest.raises(DaemonError, match="network apps was removed and is still there"):
        network.KIND.delete(Lingering(10**9), "n1", {"name": "apps"}, 0.3)

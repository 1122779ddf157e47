"""A fencer at work on a cell of two nodes."""

from __future__ import annotations

import pytest
from asp_failover import fence, watch

from tests.unit.stacks.images.asp_failover.cell import NODES, OLD, SCOPE, Wire
from tests.unit.stacks.images.asp_failover.machine import Machine


@pytest.fixture
def cell(tmp_path, monkeypatch):
    monkeypatch.setattr(fence, "PROOF_SECONDS", 0.1)
    monkeypatch.setattr(fence, "STANDBY_SECONDS", 0.0)
    machine, wire, audit = Machine(*NODES), Wire(), fence.Audit(tmp_path)
    audit.alive(OLD, [f"c-{OLD}"])
    settings = {"nodes": NODES, "scope": SCOPE, "node_port": 8008}
    watcher = watch.Watcher(settings, machine, wire, audit, ask=lambda name: {"state": "running"})
    return watcher, machine, wire, audit

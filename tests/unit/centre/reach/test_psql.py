"""Who changes a cell's tenants does so alone, waits for a limited time, and waits before clients are held."""

import contextlib
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from centre.backup import restore
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from inventory import paths
from inventory.register import load

HOLD = """
import fcntl, os, sys
stream = open(sys.argv[1], "w")
fcntl.flock(stream, fcntl.LOCK_EX)
print(f"process {os.getpid()}", file=stream, end="", flush=True)
print("held", flush=True)
input()
"""


@pytest.fixture
def cell(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    register = load("dev")
    return CellSql(SimpleNamespace(register=register), register.environment.cells[0].id)


@pytest.fixture
def holder(cell):
    """Another process that holds the cell's lock until the test ends."""
    folder = paths.environment_dir("dev")
    folder.mkdir(parents=True)
    command = [sys.executable, "-c", HOLD, str(folder / f"{cell.cell_id}.lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_holder_may_take_it_again_and_gives_it_back_once(cell):
    with cell.lock():
        with cell.lock(0):
            pass
        other = CellSql(cell.runtime, cell.cell_id)
        with pytest.raises(RuntimeFault, match="works on its tenants"), other.lock(0):
            pass
    with CellSql(cell.runtime, cell.cell_id).lock(0):
        pass


def test_another_thread_of_the_holder_waits(cell):
    calls = []

    def take():
        try:
            with cell.lock(0):
                calls.append("taken")
        except RuntimeFault:
            calls.append("refused")

    with cell.lock():
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert calls == ["refused"]


def test_who_waits_too_long_is_told_for_whom(cell, holder):
    message = f"cell baz1: seen after 0.2 s: process {holder.pid} works on"
    with pytest.raises(RuntimeFault, match=message), cell.lock(0.2):
        pass
    holder.kill()
    with cell.lock(5):
        pass


def test_the_lock_is_taken_before_clients_are_held(cell, holder, monkeypatch):
    calls = []
    monkeypatch.setattr(restore, "hold_clients", lambda *_, **__: contextlib.nullcontext(calls.append("held")))
    monkeypatch.setattr(restore, "rename", lambda *_: "old")
    monkeypatch.setattr(cell, "lock", lambda: CellSql.lock(cell, 0.1))
    tenant = SimpleNamespace(name="t16054")
    with pytest.raises(RuntimeFault, match="works on its tenants"):
        restore.exchange(cell, tenant, "t16054_restoring", [])
    assert calls == []
    holder.kill()
    holder.wait()
    assert restore.exchange(cell, tenant, "t16054_restoring", []) == "old" and calls == ["held"]

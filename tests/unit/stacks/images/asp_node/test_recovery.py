"""What a node reads of its own PostgreSQL: what a standby can never reach, what the WAL asks for, who has crashed."""

import os
import subprocess

import pytest
from asp_node import keeper, patroni_api, places, recovery


def test_what_the_wal_asks_for_is_read_from_pg_controldata(monkeypatch):
    control = "wal_level setting:                    replica\nmax_connections setting:              225\n"
    monkeypatch.setattr(recovery.subprocess, "run", lambda *_, **__: type("Done", (), {"stdout": control}))
    assert recovery.controldata()["max_connections setting"] == "225"
    for new, less in (("200", True), ("225", False), ("300", False)):
        reason = {"max_connections": {"old_value": "225", "new_value": new}, "wal_level": {"new_value": "logical"}}
        assert recovery.lowered(reason, recovery.controldata()) is less


SEGMENT = "0000002C0000000000000011"
WAITS = f"postgres: asp: startup waiting for {SEGMENT}"
REPLAYS = f"postgres: asp: startup recovering {SEGMENT}"
STREAMS = "postgres: asp: walreceiver streaming 0/11076AF0"
BEGINS = "postgres: asp: walreceiver"


@pytest.mark.parametrize(
    ("titles", "starting", "reason"),
    [
        ([WAITS], False, SEGMENT),
        ([WAITS], True, SEGMENT),
        ([WAITS, STREAMS], False, None),
        ([WAITS, BEGINS], False, SEGMENT),  # a receiver that brings nothing
        ([REPLAYS], False, None),
        ([REPLAYS], True, f"{SEGMENT} (3 s of replay)"),
        ([REPLAYS, STREAMS], True, None),
        (["postgres: asp: checkpointer"], True, None),
        ([f"grep startup waiting for {SEGMENT}"], True, None),
    ],
)
def test_a_standby_waits_when_nothing_streams(monkeypatch, titles, starting, reason):
    ticks = 3 * os.sysconf("SC_CLK_TCK")
    monkeypatch.setattr(recovery, "_processes", lambda: (titles, ticks))
    assert recovery.missing_wal(starting) == reason


def test_places_in_the_wal_compare_as_numbers(monkeypatch, tmp_path):
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal" / "0000002C.history").write_text(HISTORY.format(end="9/110769A0"))
    monkeypatch.setattr(places, "DATA", tmp_path)
    control = {"Minimum recovery ending location": "10/11076AF0", "Min recovery ending loc's timeline": "43"}
    monkeypatch.setattr(recovery, "controldata", lambda: control)
    assert recovery.unreachable() == "must replay to 10/11076AF0, but timeline 43 ended at 9/110769A0"


HISTORY = "42\t0/110000A0\tno recovery target specified\n\n43\t{end}\tno recovery target specified\n"


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("0/110769A0", "must replay to 0/11076AF0, but timeline 43 ended at 0/110769A0"),
        ("0/11076AF0", None),
        ("1/1", None),
    ],
)
def test_a_standby_that_wants_wal_behind_the_end_of_its_timeline_is_cloned_anew(monkeypatch, tmp_path, end, why):
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal" / "0000002B.history").write_text("42\t0/110000A0\tx\n")
    newest = tmp_path / "pg_wal" / "0000002C.history"
    monkeypatch.setattr(places, "DATA", tmp_path)
    control = {"Minimum recovery ending location": "0/11076AF0", "Min recovery ending loc's timeline": "43"}
    monkeypatch.setattr(recovery, "controldata", lambda: control)
    assert recovery.unreachable() is None, "as long as nobody has told of a newer timeline"
    newest.write_text(HISTORY.format(end=end))
    assert recovery.unreachable() == why
    calls, clock = [], [0.0]
    (tmp_path / "dcs.json").write_text("{}")
    monkeypatch.setattr(places, "SHARED", tmp_path / "dcs.json")
    monkeypatch.setattr(keeper.time, "monotonic", lambda: clock[0])
    # Its receiver streams up to the end, idles, and begins again: now it waits, now it does not.
    monkeypatch.setattr(recovery, "missing_wal", lambda _: None if clock[0] % 2 else "0000002C0000000000000011")
    leading = {"members": [{"name": "n2", "role": "leader", "state": "running"}]}
    monkeypatch.setattr(patroni_api, "call", lambda method, path, *_, **__: calls.append(path) or (200, leading))
    standby = keeper.Keeper()
    for _ in range(keeper.STUCK_SECONDS + 2):
        standby.unstick("starting")
        clock[0] += 1
    assert calls == (["/cluster", "/reinitialize"] if why else [])


@pytest.mark.parametrize(
    ("first", "expected"), [("{alive}", False), ("{gone}", True), ("-{gone}", True), ("", False), (None, False)]
)
def test_a_server_that_left_its_file_behind_has_crashed(monkeypatch, tmp_path, first, expected):
    ended = subprocess.Popen(["true"])
    ended.wait()
    monkeypatch.setattr(places, "DATA", tmp_path)
    if first is not None:
        (tmp_path / "postmaster.pid").write_text(first.format(alive=os.getpid(), gone=ended.pid) + "\n/data\n")
    assert recovery.crashed() is expected


def test_a_server_that_nobody_has_waited_for_yet_has_crashed_too(monkeypatch, tmp_path):
    killed = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(places, "DATA", tmp_path)
    (tmp_path / "postmaster.pid").write_text(f"{killed.pid}\n")
    assert not recovery.crashed()
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    assert recovery.crashed()
    killed.wait()

"""What a node of three does by itself: the order in which a changed setting is taken into use."""

import os
import subprocess
import sys

import pytest

from inventory import paths

sys.path.insert(0, str(paths.ROOT / "stacks" / "images" / "postgres"))
import asp_node  # noqa: E402

ROLES = {"n1": "leader", "n2": "quorum_standby", "n3": "quorum_standby"}


@pytest.fixture
def cell(monkeypatch, tmp_path):
    """Three nodes with a Patroni each that behaves as 4.0.7 does; `turn` lets every one of them look once."""
    shared = tmp_path / "dcs.json"
    shared.write_text("{}")
    monkeypatch.setattr(asp_node, "SHARED", str(shared))
    return Cell(monkeypatch, tmp_path)


class Cell:
    """`wanted`, what each node runs with, what the WAL says, and who restarted in which order."""

    def __init__(self, monkeypatch, folder):
        self.folder = folder
        self.wanted = self.wal = 100
        self.running = dict.fromkeys(ROLES, 100)
        self.restarts, self.fenced = [], set()
        self.keepers = {}
        for name in ROLES:
            monkeypatch.setattr(asp_node.socket, "gethostname", lambda name=name: name)
            self.keepers[name] = asp_node.Keeper()
        self.patch = monkeypatch

    def reason(self, name):
        if self.running[name] == self.wanted:
            return None
        return {"max_connections": {"old_value": str(self.running[name]), "new_value": str(self.wanted)}}

    def rest(self, name, path):
        if path == "/cluster":
            members = [{"name": n, "role": role, "state": "running"} for n, role in ROLES.items()]
            return 200, {"members": [{**m, "pending_restart": bool(self.reason(m["name"]))} for m in members]}
        assert path == "/restart"
        self.restarts.append(name)
        if name in self.fenced:
            raise OSError("fenced")
        if ROLES[name] == "leader":
            self.running[name] = self.wal = self.wanted
        else:
            self.running[name] = max(self.wanted, self.wal)
        return 200, "restarted successfully"

    def turn(self, names=tuple(ROLES)):
        for name in names:
            self.patch.setattr(asp_node, "rest", lambda method, path, *_, name=name, **__: self.rest(name, path))
            self.patch.setattr(asp_node, "controldata", lambda: {"max_connections setting": str(self.wal)})
            self.patch.setattr(asp_node, "RESTARTED", str(self.folder / name))
            if reason := self.reason(name):
                self.keepers[name].restart(reason)


@pytest.mark.parametrize(("wanted", "order"), [(150, ["n2", "n3", "n1"]), (50, ["n1", "n2", "n3"])])
def test_more_is_taken_by_standbys_first_and_less_by_the_leader(cell, wanted, order):
    cell.wanted = wanted
    for _ in range(5):
        cell.turn()
    assert cell.restarts == order, "each once"
    assert set(cell.running.values()) == {wanted}


def test_a_standby_that_does_not_acknowledge_yet_is_first(cell):
    cell.patch.setitem(ROLES, "n3", "replica")
    cell.wanted = 150
    for _ in range(5):
        cell.turn()
    assert cell.restarts == ["n3", "n2", "n1"], "n2 alone acknowledges until n3 does"


def test_a_standby_waits_for_a_leader_that_does_not_restart(cell):
    cell.wanted = 50
    for _ in range(5):
        cell.turn(["n3", "n2"])
    assert cell.restarts == []


def test_a_restart_that_changes_nothing_is_not_repeated(cell):
    cell.wanted = 150
    cell.wal = 200  # Patroni starts it with more than is wanted, for whatever reason of its own
    cell.patch.setattr(asp_node, "lowered", lambda *_: False)
    for _ in range(5):
        cell.turn(["n2"])
    assert cell.restarts == ["n2", "n2"], "once for each reason that it gives"


def test_a_leader_that_is_fenced_at_its_restart_does_not_try_again(cell):
    cell.wanted, cell.fenced = 50, {"n1"}
    with pytest.raises(OSError, match="fenced"):
        cell.turn()
    for _ in range(5):
        cell.turn()
    assert cell.restarts == ["n1"], "or the leadership would go round for ever"


def test_what_the_wal_asks_for_is_read_from_pg_controldata(monkeypatch):
    told = "wal_level setting:                    replica\nmax_connections setting:              225\n"
    monkeypatch.setattr(asp_node.subprocess, "run", lambda *_, **__: type("Done", (), {"stdout": told}))
    assert asp_node.controldata()["max_connections setting"] == "225"
    for new, less in (("200", True), ("225", False), ("300", False)):
        reason = {"max_connections": {"old_value": "225", "new_value": new}, "wal_level": {"new_value": "logical"}}
        assert asp_node.lowered(reason, asp_node.controldata()) is less


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
    monkeypatch.setattr(asp_node, "DATA", str(tmp_path))
    told = {"Minimum recovery ending location": "0/11076AF0", "Min recovery ending loc's timeline": "43"}
    monkeypatch.setattr(asp_node, "controldata", lambda: told)
    assert asp_node.unreachable() is None, "as long as nobody has told of a newer timeline"
    newest.write_text(HISTORY.format(end=end))
    assert asp_node.unreachable() == why
    asked, clock = [], [0.0]
    monkeypatch.setattr(asp_node, "SHARED", str(tmp_path / "dcs.json"))
    (tmp_path / "dcs.json").write_text("{}")
    monkeypatch.setattr(asp_node.time, "monotonic", lambda: clock[0])
    # Its receiver streams up to the end, idles, and begins again: now it waits, now it does not.
    monkeypatch.setattr(asp_node, "awaited", lambda _: None if clock[0] % 2 else "0000002C0000000000000011")
    leading = {"members": [{"name": "n2", "role": "leader", "state": "running"}]}
    monkeypatch.setattr(asp_node, "rest", lambda method, path, *_, **__: asked.append(path) or (200, leading))
    keeper = asp_node.Keeper()
    for _ in range(asp_node.STUCK_SECONDS + 2):
        keeper.unstick("starting")
        clock[0] += 1
    assert asked == (["/cluster", "/reinitialize"] if why else [])


@pytest.mark.parametrize(
    ("first", "seen"), [("{alive}", False), ("{gone}", True), ("-{gone}", True), ("", False), (None, False)]
)
def test_a_server_that_left_its_file_behind_has_crashed(monkeypatch, tmp_path, first, seen):
    ended = subprocess.Popen(["true"])
    ended.wait()
    monkeypatch.setattr(asp_node, "DATA", str(tmp_path))
    if first is not None:
        (tmp_path / "postmaster.pid").write_text(first.format(alive=os.getpid(), gone=ended.pid) + "\n/data\n")
    assert asp_node.crashed() is seen


def test_a_server_that_nobody_has_waited_for_yet_has_crashed_too(monkeypatch, tmp_path):
    killed = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(asp_node, "DATA", str(tmp_path))
    (tmp_path / "postmaster.pid").write_text(f"{killed.pid}\n")
    assert not asp_node.crashed()
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    assert asp_node.crashed()
    killed.wait()

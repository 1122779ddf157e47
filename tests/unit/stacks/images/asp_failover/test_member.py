"""A member of etcd joins what is there, and logins are made once; commands answer from etcd or say why not."""

import json
import threading

import pytest
from asp_failover import __main__ as program
from asp_failover import logins
from asp_failover import member as member_module
from asp_failover.etcd import EtcdFault, encode
from asp_failover.member import arguments, cluster_state

from tests.unit.stacks.images.asp_failover.cell import SCOPE, Logins, Wire

MEMBERS = ["m-1", "m-2", "m-3"]


class Peers:
    """Members as etcd 3.5 has them. `known`: what is listed of m-1; `fails`: calls that nobody answers.

    `lost`: calls that are done and whose answer is lost.
    """

    def __init__(self, members=None, fails=(), lost=()):
        self.known, self.fails, self.lost, self.calls = members, fails, lost, []

    def __call__(self, hosts, root, user, password, timeout):
        assert (hosts, user, password) == (["m-2:2379", "m-3:2379"], "root", "geheim")
        return self

    def call(self, path, body):
        verb = path.rsplit("/", 1)[1]
        if verb in self.fails:
            raise EtcdFault("etcd: no member answers")
        self.calls.append(verb)
        url = "https://m-1:2380"
        if verb == "remove":
            assert body == {"ID": "77"}
            self.known = None
        elif verb == "add":
            assert body == {"peerURLs": [url]} and self.known is None
            self.known = {}
        if verb in self.lost:
            raise EtcdFault("etcd: no member answers")
        others = [{"ID": "5", "name": "m-2", "peerURLs": ["https://m-2:2380"], "clientURLs": ["https://m-2:2379"]}]
        return {"members": others + ([{"ID": "77", "peerURLs": [url], **self.known}] if self.known is not None else [])}


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """An empty one."""
    monkeypatch.setattr(member_module, "WAL", tmp_path / "etcd" / "member" / "wal")
    monkeypatch.setattr(member_module, "JOINING", tmp_path / "joining")
    return tmp_path


RAN = {"name": "m-1", "clientURLs": ["https://m-1:2379"]}
NEVER_RAN = {"name": "m-1"}
ADDED = {}


@pytest.mark.parametrize(
    ("peers", "state", "calls"),
    [
        (Peers(fails=["list"]), "new", []),  # the first start of the first members: no majority, or no logins yet
        (Peers(NEVER_RAN), "new", ["list"]),  # the first start of the last one
        (Peers(RAN), "existing", ["list", "remove", "add"]),  # its volume was lost
        (Peers(None), "existing", ["list", "add"]),  # killed after it took itself out
        (Peers(ADDED), "existing", ["list"]),  # killed before it ran
    ],
)
def test_a_member_with_an_empty_volume_joins_what_is_there(volume, monkeypatch, peers, state, calls):
    monkeypatch.setattr(member_module, "Etcd", peers)
    assert cluster_state("m-1", MEMBERS, "geheim") == state
    assert peers.calls == calls


def test_a_member_that_took_itself_out_never_founds_a_cluster(volume, monkeypatch):
    for peers in (Peers(RAN, fails=["add"]), Peers(fails=["list"])):
        monkeypatch.setattr(member_module, "Etcd", peers)
        with pytest.raises(EtcdFault, match="no member answers"):
            cluster_state("m-1", MEMBERS, "geheim")
    monkeypatch.setattr(member_module, "Etcd", peers := Peers(None))
    assert cluster_state("m-1", MEMBERS, "geheim") == "existing" and peers.calls == ["list", "add"]


def test_nor_one_that_never_heard_whether_it_was_taken_out(volume, monkeypatch):
    for peers in (Peers(RAN, lost=["remove"]), Peers(fails=["list"])):
        monkeypatch.setattr(member_module, "Etcd", peers)
        with pytest.raises(EtcdFault, match="no member answers"):
            cluster_state("m-1", MEMBERS, "geheim")


def test_a_member_with_its_volume_asks_nobody(volume, monkeypatch):
    monkeypatch.setattr(member_module, "Etcd", peers := Peers(RAN))
    member_module.WAL.mkdir(parents=True)
    (member_module.WAL / "0.wal").touch()
    member_module.JOINING.touch()
    assert cluster_state("m-1", MEMBERS, "geheim") == "existing" and peers.calls == []
    assert not member_module.JOINING.exists()


@pytest.mark.parametrize(("present", "changes"), [("geheim", 0), ("another", 1)])
def test_logins_that_work_are_left_alone_at_a_restart(tmp_path, monkeypatch, present, changes):
    changed = []

    def member(hosts, root, user=None, password="", timeout=0):
        login = Logins({"root": "r", "patroni": present}, user=user, password=password)
        login.calls = changed
        return login

    file = tmp_path / "etcd.json"
    file.write_text(json.dumps({"root": "r", "users": {"patroni": {"password": "geheim", "write": [SCOPE]}}}))
    monkeypatch.setattr(logins, "FILE", file)
    monkeypatch.setattr(logins, "Etcd", member)
    logins.keep_logins(threading.Event())
    passwords = [body for path, body in changed if path == "/v3/auth/user/changepw" and body["name"] == "patroni"]
    assert passwords == [{"name": "patroni", "password": "geheim"}] * changes
    assert bool(changed) == bool(changes)


class Empty:
    """etcd without logins: answers everything, and keeps it."""

    def __init__(self, calls):
        self.calls = calls

    def __call__(self, hosts, root, user=None, password="", timeout=0):
        return self

    def call(self, path, body):
        self.calls.append((path, body))
        return {}


def test_the_first_start_makes_the_logins_with_their_rights_and_then_requires_them(tmp_path, monkeypatch):
    file = tmp_path / "etcd.json"
    users = {"fencer": {"password": "f", "read": [f"{SCOPE}sync", SCOPE], "write": [f"{SCOPE}leader"]}}
    file.write_text(json.dumps({"root": "r", "users": users}))
    monkeypatch.setattr(logins, "FILE", file)
    monkeypatch.setattr(logins, "Etcd", Empty(calls := []))
    logins.keep_logins(threading.Event())
    rights = [body["perm"] for path, body in calls if path == "/v3/auth/role/grant" and body["name"] == "fencer"]
    assert rights == [
        {"permType": "READ", "key": encode(f"{SCOPE}sync")},
        {"permType": "READ", "key": encode(SCOPE), "range_end": encode("/service/baz10")},
        {"permType": "READWRITE", "key": encode(f"{SCOPE}leader")},
    ]
    assert calls[-1] == ("/v3/auth/enable", {})


def test_one_login_that_works_does_not_stand_for_another(tmp_path, monkeypatch):
    file = tmp_path / "etcd.json"
    file.write_text(json.dumps({"root": "r", "users": {"a": {"password": "1"}, "b": {"password": "2"}}}))
    monkeypatch.setattr(logins, "FILE", file)
    monkeypatch.setattr(logins, "Etcd", Empty(calls := []))
    monkeypatch.setattr(logins, "required", lambda etcd: True)
    monkeypatch.setattr(logins, "accepted", lambda hosts, user, password: user == "a")
    logins.keep_logins(threading.Event())
    assert ("/v3/auth/user/changepw", {"name": "b", "password": "2"}) in calls
    assert ("/v3/auth/enable", {}) not in calls


def test_members_of_etcd_know_each_other_by_certificate():
    line = arguments("m-1", MEMBERS, "m", "new")
    assert "--peer-client-cert-auth=true" in line and "--peer-cert-allowed-hostname=m" in line
    assert not [part for part in line if "http://" in part and "127.0.0.1" not in part]


@pytest.fixture
def etcd(tmp_path, monkeypatch):
    """The keys that a member has; who asks logs in as `root` (to read) or `patroni` (to delete)."""
    keys = {f"{SCOPE}leader": ("n1", 1), f"{SCOPE}initialize": ("7", 2), "/service/baz10/leader": ("m1", 3)}

    class Member(Wire):
        def __init__(self, hosts, root, user, password, timeout):
            super().__init__()
            assert hosts == ["localhost:2379"] and password == {"root": "r", "patroni": "geheim"}[user]
            self.keys = keys

        def call(self, path, body):
            if path != "/v3/cluster/member/list":
                return super().call(path, body)
            assert body == {"linearizable": True}
            ran = {"ID": "5", "name": "m-1", "clientURLs": ["https://m-1:2379"]}
            return {"members": [ran, {"ID": "6", "name": "m-2"}]}

    monkeypatch.setattr(program, "Etcd", Member)
    monkeypatch.setattr(logins, "FILE", tmp_path / "etcd.json")
    logins.FILE.write_text(json.dumps({"root": "r", "users": {"patroni": {"password": "geheim", "write": [SCOPE]}}}))
    return keys


def test_the_status_is_what_a_majority_confirms(etcd, capsys):
    assert program.main(["status"]) == 0
    assert json.loads(capsys.readouterr().out) == {"keys": sorted(etcd), "members": {"m-1": "5"}}


def test_of_one_cell_everything_is_forgotten_and_of_another_nothing(etcd, capsys):
    assert program.main(["forget", SCOPE]) == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": 2}
    assert list(etcd) == ["/service/baz10/leader"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["forget", "/service/baz1"], 1, "wanted a prefix that ends in a slash"),
        (["forget"], 2, "wanted: asp-failover member | watch | gate | status | forget SCOPE"),
        ([], 2, "wanted: asp-failover member"),
    ],
)
def test_what_is_no_request_changes_nothing(etcd, capsys, words, code, message):
    before = dict(etcd)
    assert program.main(words) == code and message in capsys.readouterr().err
    assert etcd == before


def test_a_member_that_does_not_answer_is_a_fault(etcd, monkeypatch, capsys):
    def silent(*_):
        raise EtcdFault("etcd: no member answers")

    monkeypatch.setattr(program, "Etcd", silent)
    assert program.main(["status"]) == 1
    assert capsys.readouterr() == ("", "asp-failover status: etcd: no member answers\n")

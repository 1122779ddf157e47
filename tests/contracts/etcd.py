"""What the programs of a cell may rely on of etcd's JSON gateway, through `asp_failover.etcd`, real or in memory.

`keys` is an open cluster with `etcd`, the client, and `put(key, value, lease=False)` of somebody else. `login(user,
password)` is a client of one that requires logins: `root` with "r", and `patroni` with "p" who may write below
/service/baz1/; without a user it is nobody's.
"""

from __future__ import annotations

import pytest
from asp_failover.etcd import EtcdFault, encode

SCOPE = "/service/baz1/"
LEADER = f"{SCOPE}leader"
RANGE, TRANSACTION, STATUS = "/v3/kv/range", "/v3/kv/txn", "/v3/auth/status"


class KeysContract:
    def test_nothing_is_an_empty_answer(self, keys):
        assert "kvs" not in keys.etcd.call(RANGE, {"key": encode("/a"), "range_end": encode("/b")})
        assert keys.etcd.prefix(SCOPE) == {}
        assert keys.etcd.delete_prefix(SCOPE) == 0

    def test_revisions_are_text_and_a_change_keeps_the_first(self, keys):
        keys.put(LEADER, "n1")
        first = keys.etcd.prefix(LEADER)[LEADER]
        assert (first["value"], first["mod_revision"], first["lease"]) == ("n1", first["create_revision"], 0)
        keys.put(LEADER, "n2")
        second = keys.etcd.prefix(LEADER)[LEADER]
        assert (second["value"], second["create_revision"]) == ("n2", first["create_revision"])
        assert second["mod_revision"] > first["mod_revision"]
        [pair] = keys.etcd.call(RANGE, {"key": encode(LEADER), "range_end": encode(f"{LEADER}x")})["kvs"]
        assert pair["create_revision"] == str(first["create_revision"]), "a number is text"
        assert "lease" not in pair, "and nothing is left out"

    def test_a_key_that_was_deleted_is_another_one_afterwards(self, keys):
        keys.put(LEADER, "n1")
        first = keys.etcd.prefix(LEADER)[LEADER]["create_revision"]
        assert keys.etcd.delete_if(LEADER, "n1", first)
        keys.put(LEADER, "n1")
        assert keys.etcd.prefix(LEADER)[LEADER]["create_revision"] > first

    def test_a_key_may_have_no_value_and_a_lease(self, keys):
        keys.put(f"{SCOPE}failsafe", "")
        keys.put(LEADER, "n1", lease=True)
        entries = keys.etcd.prefix(SCOPE)
        assert entries[f"{SCOPE}failsafe"]["value"] == ""
        assert entries[LEADER]["lease"] > 0 == entries[f"{SCOPE}failsafe"]["lease"]

    def test_a_prefix_is_of_one_cell_and_in_order(self, keys):
        for key in (f"{SCOPE}sync", LEADER, "/service/baz10/leader", "/service/baz"):
            keys.put(key, "x")
        assert list(keys.etcd.prefix(SCOPE)) == [LEADER, f"{SCOPE}sync"]
        assert keys.etcd.delete_prefix(SCOPE) == 2
        assert list(keys.etcd.prefix("/service/")) == ["/service/baz", "/service/baz10/leader"]

    def test_a_range_ends_before_its_end(self, keys):
        for key in ("/a", "/b", "/c"):
            keys.put(key, "x")
        pairs = keys.etcd.call(RANGE, {"key": encode("/a"), "range_end": encode("/c")})["kvs"]
        assert [pair["key"] for pair in pairs] == [encode("/a"), encode("/b")]

    def test_a_key_is_deleted_once(self, keys):
        keys.put(LEADER, "n1")
        revision = keys.etcd.prefix(LEADER)[LEADER]["create_revision"]
        assert keys.etcd.delete_if(LEADER, "n1", revision)
        assert keys.etcd.prefix(LEADER) == {}
        assert not keys.etcd.delete_if(LEADER, "n1", revision)

    def test_a_key_of_another_value_or_beginning_stays(self, keys):
        keys.put(LEADER, "n1")
        revision = keys.etcd.prefix(LEADER)[LEADER]["create_revision"]
        for value, created in (("n2", revision), ("n1", revision + 1), ("n1", revision - 1)):
            assert not keys.etcd.delete_if(LEADER, value, created)
        assert keys.etcd.prefix(LEADER)[LEADER]["value"] == "n1"

    def test_a_renewed_key_is_still_the_same(self, keys):
        keys.put(LEADER, "n1")
        revision = keys.etcd.prefix(LEADER)[LEADER]["create_revision"]
        keys.put(LEADER, "n1")
        assert keys.etcd.delete_if(LEADER, "n1", revision)


class LoginsContract:
    def test_who_has_no_login_is_told_nothing(self, login):
        with pytest.raises(EtcdFault, match=f"{STATUS} refused with 400: etcdserver: user name is empty"):
            login().call(STATUS, {})
        with pytest.raises(EtcdFault, match="refused with 400: etcdserver: user name is empty"):
            login().prefix(SCOPE)

    @pytest.mark.parametrize("user", ["root", "patroni", "nobody"])
    def test_a_wrong_password_is_a_refused_login(self, login, user):
        with pytest.raises(EtcdFault, match=f"login of {user} refused: etcdserver: authentication failed"):
            login(user, "wrong").call(STATUS, {})

    def test_only_root_is_told_of_logins(self, login):
        assert login("root", "r").call(STATUS, {})["enabled"] is True
        with pytest.raises(EtcdFault, match=f"{STATUS} refused with 403: etcdserver: permission denied"):
            login("patroni", "p").call(STATUS, {})

    def test_a_login_changes_what_is_its_own(self, login):
        assert login("patroni", "p").delete_prefix(SCOPE) == 0
        with pytest.raises(EtcdFault, match="refused with 403: etcdserver: permission denied"):
            login("patroni", "p").delete_prefix("/service/baz10/")

    @pytest.mark.parametrize("kind", ["role", "user"])
    def test_nobody_is_added_twice(self, login, kind):
        with pytest.raises(EtcdFault, match=f"etcdserver: {kind} name already exists"):
            login("root", "r").call(f"/v3/auth/{kind}/add", {"name": "patroni", "password": "p"})

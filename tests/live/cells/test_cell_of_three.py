"""A cell of three as it runs: who may speak to whom, a leader that dies and comes back, runbooks that work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from centre.reach.leader import leader
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from inventory import paths
from inventory.names import Port
from tests.live.cells.environment import ENV, WHOLE, databases_up, roles
from tests.support import documented
from tests.support.polling import poll


def inside(runtime, service, code):
    return runtime.check(service, ["python3", "-c", code]).strip()


def test_nothing_changes_when_nothing_is_to_change(three, cell):
    assert databases_up() == ""


def test_sql_goes_to_the_leader(three, cell):
    sql = CellSql(three, "baz1")
    assert sql.node == leader(three, cell)
    assert sql.script("SELECT pg_is_in_recovery()", database="postgres", role="postgres").strip() == "f"


def test_every_member_of_etcd_wants_a_login(three, cell):
    program = (
        "from asp_failover.etcd import Etcd; print(Etcd(['localhost:2379'], '/etc/asp/ca.crt'{}).prefix('/service/'))"
    )
    for member in cell.etcd:
        anonymous = three.run(member, ["python3", "-c", program.format("")])
        assert anonymous.code != 0 and "user name is empty" in anonymous.err
        wrong = three.run(member, ["python3", "-c", program.format(", 'patroni', 'wrong'")])
        assert wrong.code != 0 and "login of patroni refused" in wrong.err


def test_whoever_takes_the_fencer_has_no_engine(three, cell):
    (fencer,), own = cell.fencer, cell.postgres[0]
    code = """
import os
from asp_failover.engine import Engine, EngineFault
print(os.getuid(), os.path.exists('/var/run/docker.sock'))
engine = Engine()
print(bool(engine.node() and engine.containers('{own}')))
stranger = '{stranger}'
for call in (lambda: engine.call('POST', '/containers/create', {{}}), lambda: engine.service(stranger)):
    try:
        call()
        print('answered')
    except EngineFault as fault:
        print('403' in str(fault))
"""
    answer = inside(three, fencer, code.format(own=own, stranger=cell.proxy)).split()
    assert answer == ["5380", "False", "True", "True", "True"]


def test_the_fencer_may_delete_nothing_but_the_leaders_key(three, cell):
    (fencer,) = cell.fencer
    code = """
import json
from asp_failover.etcd import Etcd, EtcdFault, encode
s = json.load(open('/run/secrets/fencer.json'))
etcd = Etcd(s['etcd'], '/etc/asp/ca.crt', 'fencer', s['password'])
keys = etcd.prefix(s['scope'])
assert s['scope'] + 'leader' in keys
assert etcd.delete_if(s['scope'] + 'leader', 'nobody', 1) is False
for key in (s['scope'] + 'config', '/service/other/leader'):
    try:
        etcd.call('/v3/kv/deleterange', {'key': encode(key)})
        print('allowed', key)
    except EtcdFault as fault:
        print('permission denied' in str(fault))
"""
    assert inside(three, fencer, code).split() == ["True", "True"]


@pytest.mark.parametrize(
    ("kind", "port", "metric"),
    [
        ("postgres", Port.PATRONI, "patroni_postgres_running"),
        ("etcd", Port.ETCD, "etcd_server_has_leader 1"),
        ("fencer", Port.FENCER, "asp_fencer_leader"),
    ],
)
def test_metrics_are_there_for_who_has_a_certificate(three, cell, kind, port, metric):
    code = """
import http.client, ssl, sys
tls = ssl.create_default_context(cafile='/etc/asp/ca.crt')
if {own}: tls.load_cert_chain('/run/secrets/tls.crt', '/run/secrets/tls.key')
c = http.client.HTTPSConnection({host!r}, {port}, context=tls, timeout=5)
c.request('GET', '/metrics'); print(c.getresponse().read().decode())
"""
    source = cell.postgres[0]
    for service in getattr(cell, kind):
        result = inside(three, source, code.format(own=True, host=service, port=port.value))
        assert metric in result
        if kind != "etcd":
            stranger = three.run(source, ["python3", "-c", code.format(own=False, host=service, port=port.value)])
            # The server ends the handshake; whether its alert arrives before its reset is chance.
            assert stranger.code != 0 and re.search("certificate required|reset by peer", stranger.err)


@pytest.mark.parametrize("crash", ["the container", "PostgreSQL alone"])
def test_a_dead_leader_is_fenced_and_comes_back_as_a_standby(three, cell, crash):
    old, (fencer,) = leader(three, cell), cell.fencer
    sql = CellSql(three, "baz1")
    table = "DROP TABLE IF EXISTS kept; CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)"
    sql.script(table, database="postgres", role="postgres")
    if crash == "PostgreSQL alone":
        three.run(old, ["bash", "-c", "kill -9 $(head -1 /data/pgdata/postmaster.pid)"])
    else:
        three.container(old).kill()
    new = poll(lambda: leader_among(three, cell), lambda name: name not in (None, old), 25, "another node leads")
    audit = [json.loads(line) for line in three.check(fencer, ["cat", "/audit/audit.jsonl"]).splitlines()]
    events = [entry for entry in audit if entry.get("member") == old][-4:]
    assert [entry["event"] for entry in events] == ["fencing", "proof", "released", "given back"]
    assert all(proof["proven"] and not proof.get("networks") for proof in events[1]["containers"])
    # A node leads from the moment that the key is its own, and takes writes once its promotion is over.
    reading = partial(sql.script, "SELECT pg_is_in_recovery()", database="postgres", role="postgres")
    poll(lambda: reading().strip(), lambda answer: answer == "f", 25, "the new leader takes writes")
    assert sql.script("SELECT n FROM kept; DROP TABLE kept", database="postgres", role="postgres").strip() == "1"
    poll(lambda: roles(three, cell), lambda states: states == WHOLE, 150, "the old leader streams again")
    assert leader(three, cell) == new


def leader_among(runtime, names):
    try:
        return leader(runtime, names)
    except RuntimeFault:
        return None


def test_leadership_is_handed_over_by_the_playbook(three, cell):
    old = leader(three, cell)
    playbook = str(Path(sys.executable).with_name("ansible-playbook"))
    environ = {**os.environ, "ASP_ENV": ENV, "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}

    def play(*options):
        command = [playbook, "playbooks/failover.yml", *options]
        process = subprocess.run(command, cwd=paths.ROOT, env=environ, capture_output=True, text=True, timeout=180)
        return process.returncode, process.stdout + process.stderr

    code, output = play("--check", "-e", "cell=baz1")
    assert code == 0 and "changed=1" in output, output
    assert leader(three, cell) == old, "check mode hands nothing over"
    code, output = play("-e", "cell=baz1")
    assert code == 0 and "clients held for" in output, output
    new = leader(three, cell)
    assert new != old
    code, output = play("-e", "cell=baz1", "-e", f"node={old}")
    assert code == 0 and "changed=0" in output, output
    code, output = play("-e", "cell=baz1", "-e", "node=nobody")
    assert code != 0 and "node nobody: wanted one of" in output


LOOKS = [
    command
    for command in documented.commands(paths.ROOT / "docs" / "runbooks" / "database.md")
    if command.startswith("docker exec")
]


def test_the_runbook_has_something_to_type():
    assert len(LOOKS) >= 3


@pytest.mark.parametrize("command", LOOKS)
def test_a_look_that_the_runbook_tells_of_works(three, cell, command):
    line = command.replace("<cell>", cell.prefix).replace("<node>", cell.postgres[0])
    process = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0 and process.stdout.strip(), process.stderr


RENEWED = [c for c in documented.commands(paths.ROOT / "docs" / "runbooks" / "database.md") if "<member>" in c]


def keys_and_members(runtime, member):
    """Keys and members that etcd knows, asked at one member and confirmed by a majority."""
    reply = poll(lambda: runtime.run(member, ["asp-failover", "status"]), lambda call: call.code == 0, 30, "a majority")
    status = json.loads(reply.out)
    return status["keys"], status["members"]


def test_a_member_of_etcd_whose_volume_is_lost_joins_anew_as_the_runbook_says(three, cell):
    lost, killed = cell.etcd[:2]
    led_by = leader(three, cell)
    keys, members_before = keys_and_members(three, lost)
    assert len(RENEWED) == 3 and len(members_before) == 3
    for command in RENEWED:
        line = command.replace("<member>", lost)
        process = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=120)
        assert process.returncode == 0, process.stdout + process.stderr
    three.container(lost, wait=60)
    keys_after, members_after = keys_and_members(three, lost)
    assert keys_after == keys and members_after.keys() == members_before.keys()
    assert {name for name in members_after if members_after[name] != members_before[name]} == {lost}
    three.container(killed).kill()
    assert keys_and_members(three, lost)[0] == keys, "it makes a majority with one of the others"
    three.container(killed, wait=60)
    assert leader(three, cell) == led_by and roles(three, cell) == WHOLE

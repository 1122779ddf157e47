"""Around a restore, in containers of image postgres: nothing is left of killed runs, no stream is believed blindly."""

import io
import secrets
import subprocess
import sys
import tarfile
from types import SimpleNamespace

import docker
import pytest

from centre.backup import scratch
from centre.reach import processes, transfer
from centre.reach.runtime import RuntimeFault
from stacks.images.build import recipe


@pytest.fixture(scope="module")
def client():
    return docker.from_env(timeout=60)


@pytest.fixture
def start(client):
    """Starts containers that wait; they are removed with their volumes."""
    containers = []

    def begin(**options):
        container = client.containers.run(
            recipe.reference("postgres"),
            ["sleep", "infinity"],
            name=f"asp-test-scratch-{secrets.token_hex(4)}",
            network_mode="none",
            init=True,
            detach=True,
            **options,
        )
        containers.append(container)
        return container

    yield begin
    for container in containers:
        scratch._remove(container)


@pytest.mark.parametrize(
    ("mebibytes", "available", "expected"),
    [(0, 8192, 1024), (1000, 16100, 4024), (1000, 16000, None), (0, 4000, None)],
)
def test_a_restore_takes_memory_only_where_there_is_four_times_as_much(
    mebibytes, available, expected, monkeypatch, tmp_path
):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(f"MemTotal: 99999999 kB\nMemAvailable: {available * 1024} kB\n")
    monkeypatch.setattr(scratch, "MEMINFO", meminfo)
    register = SimpleNamespace(environment=SimpleNamespace(several_machines=False))
    cell = SimpleNamespace(rows=lambda *_, **__: [mebibytes * 2**20], runtime=SimpleNamespace(register=register))
    assert scratch._memory(cell, "t16054") == expected


def test_what_a_killed_run_left_goes_and_what_is_in_use_stays(client, start):
    env = f"x{secrets.token_hex(4)}"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    killed, mine = processes.Process.from_pid(child.pid), processes.this()
    containers = {}
    for name, maker in (("killed", killed), ("mine", mine), ("unknown", None)):
        labels = {"asp.env": env, "asp.restore": "t16054"}
        if maker:
            labels[scratch.MAKER] = f"{maker.pid} {maker.start}"
        volume = {"Type": "volume", "Target": "/data", "VolumeOptions": {"Labels": labels}}
        containers[name] = start(labels=labels, mounts=[volume])
    child.kill()
    child.communicate()
    scratch.clear_stale(client, env)
    assert scratch._labelled(client, f"asp.env={env}") == [containers["mine"]]
    assert len(client.volumes.list(filters={"label": f"asp.env={env}"})) == 1, "a container takes its volume with it"


def test_the_library_that_a_restore_preloads_is_there(start):
    """The loader only warns when it is missing, and the restore would sync every file again."""
    show = (
        "import os; from asp_restore.tenant import PRELOAD;"
        "os.execve('/bin/cat', ['cat', '/proc/self/maps'], {'LD_PRELOAD': PRELOAD})"
    )
    code, (out, err) = start().exec_run(["python3", "-c", show], demux=True)
    assert code == 0 and "libeatmydata" in out.decode() and err is None


def test_a_stream_is_carried_whole(start):
    source, target = start(), start()
    give, take = ["head", "-c", "5000000", "/dev/zero"], ["sh", "-c", "cat >/tmp/taken"]
    assert transfer.carry(source, give, target, take) == 5000000
    assert target.exec_run(["stat", "-c", "%s", "/tmp/taken"])[1].strip() == b"5000000"


@pytest.mark.parametrize(
    ("give", "take", "message"),
    [
        ("echo no such thing >&2; exit 3", "cat >/dev/null", "sh exited with 3: no such thing"),
        ("head -c 50000000 /dev/zero", "echo disk full >&2; exit 4", "sh exited with 4: .*disk full"),
        ("kill -9 $$", "cat >/dev/null", "sh exited with 137"),
        ("sleep 600", "cat >/dev/null", "no end within its time limit"),
        ("head -c 50000000 /dev/zero", "sleep 600", "no end within its time limit"),
        ("true", "sleep 600", "no end within its time limit"),
    ],
)
def test_what_did_not_end_well_is_never_taken_for_carried(start, give, take, message):
    source, target = start(), start()
    with pytest.raises(RuntimeFault, match=f"(?s){message}"):
        transfer.carry(source, ["sh", "-c", give], target, ["sh", "-c", take], limit=10 if "exited" in message else 2)


def test_a_command_whose_container_dies_is_a_fault(start):
    source, target = start(), start()
    with pytest.raises(RuntimeFault, match="exited with|is not running|No such"):
        transfer.carry(source, ["sh", "-c", "echo rows"], target, ["sh", "-c", "read line; kill -9 -1; sleep 60"])


def test_an_export_clears_what_a_killed_one_left_and_nothing_of_a_running_one(start):
    container = start()
    running = "set -e; place=/data/export.running; mkdir $place; exec 9<$place; flock 9; touch $place/held; sleep 600"
    container.exec_run(["bash", "-c", running], detach=True)
    script = (
        "mkdir /data/export.killed; touch /data/export.killed/rows; until [ -e /data/export.running/held ]; do :; done"
    )
    assert container.exec_run(["bash", "-c", script])[0] == 0
    code, (archive, _) = export_of(container, "ls /data >files; pwd >place")
    assert code == 0
    with tarfile.open(fileobj=io.BytesIO(archive)) as bundle:
        files, (place,) = (bundle.extractfile(name).read().decode().split() for name in ("files", "place"))
    assert sorted(files) == sorted(["export.running", place.removeprefix("/data/")])
    assert container.exec_run(["ls", "/data"])[1].split() == [b"export.running"]


def test_an_export_whose_dump_failed_hands_nothing_out(start):
    code, (archive, message) = export_of(start(), "touch failed")
    assert code == 1 and archive is None and b"pg_dump failed" in message


def export_of(container, does):
    """What `asp-export` gives when psql does this."""
    write = f"printf '#!/bin/sh\\n{does}\\n' >/tmp/psql; chmod +x /tmp/psql"
    assert container.exec_run(["sh", "-c", write])[0] == 0
    path = {"PATH": "/tmp:/usr/local/bin:/usr/bin:/bin"}
    return container.exec_run(["asp-export", "t16054", "postgres"], environment=path, demux=True)

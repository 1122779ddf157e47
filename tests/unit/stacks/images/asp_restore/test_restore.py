"""A restore asks pgBackRest and PostgreSQL for the right things, and says why when one of them refuses.

Both are programs of the image; here they are small ones that write down what they were called with.
"""

import io
import json
import os
import threading
from types import SimpleNamespace

import pytest
from asp_restore import __main__ as program
from asp_restore import cluster, source, tenant

PGBACKREST = """\
#!/bin/sh
echo "$@" >>{calls}/pgbackrest
cp "$PGBACKREST_CONFIG" {calls}/conf
case "$*" in *{refuse}*) echo "no database" >&2; exit {code} ;; esac
"""
POSTGRES = """\
#!/bin/sh
echo "$LD_PRELOAD" >{calls}/preload
cp "${{2#config_file=}}" {calls}/postgresql.conf
echo "FATAL: no room" && exit {code}
"""
SERVING = """\
#!/bin/sh
cp "${{2#config_file=}}" {calls}/postgresql.conf
until [ -e {calls}/stop ]; do sleep 0.02; done
"""
PSQL = """\
#!/bin/sh
echo "$@" >>{calls}/psql
case "$*" in
  *"count(*)"*) echo {count} ;;
  *pg_is_in_recovery*) [ -e {calls}/replayed ] && echo f || {{ touch {calls}/replayed; echo t; }} ;;
  *RESET*) exit {reset} ;;
  *) [ -e {calls}/postgresql.conf ] && exit {psql} ;;
esac
"""
PG_CTL = "#!/bin/sh\ntouch {calls}/stop\n"
OPTIONS = {"repo1-path": "/source/repo", "repo1-cipher-pass": "geheim"}


class Image:
    """The programs that a restore runs. `calls(name)`: the lines that one of them wrote down."""

    def __init__(self, folder, patch):
        self.folder = folder
        self.programs = {"pgbackrest": PGBACKREST, "postgres": SERVING, "psql": PSQL, "pg_ctl": PG_CTL}
        self.values = {"calls": folder / "calls", "refuse": "NOTHING", "code": 0, "count": 1, "psql": 0, "reset": 0}
        for name in ("calls", "bin", "tmp", "data"):
            (folder / name).mkdir()
        patch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
        patch.setattr(source, "SCRATCH", folder / "tmp")
        patch.setattr(tenant, "DATA", folder / "data" / "pgdata")
        patch.setattr(tenant, "PRELOAD", "")
        patch.setattr(tenant, "PAUSE", 0.01)
        patch.setattr(cluster, "VOLUME", folder / "data")
        patch.setattr(cluster, "PEERS", folder / "peers")
        patch.setattr(cluster, "LOCK_SECONDS", 0.1)
        patch.setattr(cluster, "PAUSE", 0.01)
        patch.setattr(cluster.signal, "pause", lambda: None)
        source.hand_over(OPTIONS)

    def run(self, *words, **values):
        self.values |= values
        for name, text in self.programs.items():
            file = self.folder / "bin" / name
            file.write_text(text.format(**self.values))
            file.chmod(0o755)
        return program.main(list(words))

    def calls(self, name):
        file = self.folder / "calls" / name
        return file.read_text().splitlines() if file.exists() else []

    def end_soon(self):
        threading.Timer(0.5, (self.folder / "calls" / "stop").touch).start()


@pytest.fixture
def image(tmp_path, monkeypatch):
    return Image(tmp_path, monkeypatch)


def request(**values):
    return json.dumps({"stanza": "baz1", "database": "t16054", "fallback": "asp_auth", **values})


def test_a_tenant_comes_back_alone_and_says_when_it_lets_somebody_in(image, capsys):
    image.end_soon()
    assert image.run("tenant", request()) == 0
    assert capsys.readouterr().out == '{"state": "restored"}\n'
    assert image.calls("pgbackrest") == ["--stanza=baz1 --archive-mode=off --type=default --db-include=t16054 restore"]
    conf = image.calls("conf")
    assert conf[:3] == ["[global]", "repo1-path=/source/repo", "repo1-cipher-pass=geheim"]
    assert {"archive-async=y", "log-level-file=off"} <= set(conf)
    assert conf[-2:] == ["[baz1]", f"pg1-path={image.folder}/data/pgdata"]
    server = image.calls("postgresql.conf")
    assert {"listen_addresses = ''", "hot_standby = 'off'", "fsync = 'off'", "shared_buffers = '64MB'"} <= set(server)
    assert not [line for line in server if line.startswith("archive")], "nothing here reaches the repository"


def test_the_key_is_readable_by_the_restore_alone(image):
    image.end_soon()
    image.run("tenant", request())
    for name in ("source.json", "pgbackrest.conf"):
        assert (image.folder / "tmp" / name).stat().st_mode & 0o777 == 0o600


def test_a_moment_and_neighbours(image):
    image.end_soon()
    assert image.run("tenant", request(until="2026-11-23 12:00:00+00:00", neighbours=True)) == 0
    (line,) = image.calls("pgbackrest")
    assert "--type=time --target=2026-11-23 12:00:00+00:00 --target-action=promote restore" in line
    assert "--db-include" not in line


def test_a_database_that_is_younger_than_the_backup_comes_out_of_the_wal(image):
    image.end_soon()
    assert image.run("tenant", request(), refuse="db-include=t16054", code=80) == 0
    assert [line.split()[-2] for line in image.calls("pgbackrest")] == ["--db-include=t16054", "--db-include=asp_auth"]


def test_another_refusal_is_not_tried_again(image, capsys):
    assert image.run("tenant", request(), refuse="db-include", code=39) == 1
    assert len(image.calls("pgbackrest")) == 1 and image.calls("postgresql.conf") == []
    assert capsys.readouterr() == ("", "asp-restore tenant: pgbackrest restore exited with 39: no database\n")


def test_a_database_that_was_not_there_at_that_moment_is_named(image, capsys):
    image.end_soon()
    assert image.run("tenant", request(), psql=2, count=0) == 1
    assert capsys.readouterr() == ("", "asp-restore tenant: no database t16054 at that moment\n")


def test_a_server_that_ends_tells_its_last_words(image, capsys):
    image.programs["postgres"] = POSTGRES
    assert image.run("tenant", request(), psql=2, code=1) == 1
    assert capsys.readouterr() == ("", "asp-restore tenant: FATAL: no room\n")


@pytest.mark.parametrize(
    ("refusal", "free", "out"),
    [
        ("unable to write 'x': [28] No space left on device", 2**30, '{"state": "full"}\n'),
        ("unable to write 'x'", 4096, '{"state": "full"}\n'),  # a write that was cut short
        ("unable to write 'x'", 2**30, ""),
    ],
)
def test_a_full_data_folder_is_told_as_such(image, monkeypatch, capsys, refusal, free, out):
    monkeypatch.setattr(tenant.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    image.programs["pgbackrest"] = f'#!/bin/sh\necho "{refusal}" >&2\nexit 64\n'
    assert image.run("tenant", request()) == 1
    assert capsys.readouterr() == (out, f"asp-restore tenant: pgbackrest restore exited with 64: {refusal}\n")


def whole(**values):
    return json.dumps({"stanza": "baz1", "size": 1, "stamp": "20261123t130000z", **values})


def test_a_cluster_is_put_in_place_of_what_each_volume_holds(image, capsys):
    for volume in ("data", "peers/n2", "peers/n3"):
        (image.folder / volume).mkdir(parents=True, exist_ok=True)
    for volume in ("data", "peers/n2"):
        (image.folder / volume / "pgdata").mkdir()
        (image.folder / volume / "pgdata" / "former").touch()
    (image.folder / "data" / "pgdata.new").mkdir()
    (image.folder / "data" / "pgdata.new" / "half").touch()
    assert image.run("cluster", whole(until="2026-11-23 12:00:00+00:00")) == 0
    assert capsys.readouterr().out == '{"state": "replayed"}\n'
    (line,) = image.calls("pgbackrest")
    assert line.startswith("--stanza=baz1 --archive-mode=preserve --type=time --target=2026-11-23 12:00:00+00:00")
    names = {
        volume: sorted(file.name for file in (image.folder / volume).iterdir() if file.is_dir())
        for volume in ("data", "peers/n2", "peers/n3")
    }
    former = "pgdata.before_20261123t130000z"
    assert names == {"data": ["pgdata", former], "peers/n2": [former], "peers/n3": []}
    assert (image.folder / "data" / former / "former").exists()
    assert not list((image.folder / "data" / "pgdata").iterdir()), "nothing that a killed run left is taken over"
    server = image.calls("postgresql.conf")
    assert {"archive_mode = 'on'", "archive_command = '/bin/false'"} <= set(server)
    resets = [line.rsplit(" ", 1)[1] for line in image.calls("psql") if "RESET" in line]
    assert resets == ["restore_command", "recovery_target_time", "recovery_target_action"]


@pytest.mark.parametrize(
    ("values", "size", "message"),
    [
        ({}, 2**60, "bytes free, wanted more than 1152921504606846976"),
        ({"refuse": "restore", "code": 103}, 1, "pgbackrest restore exited with 103: no database"),
        ({"reset": 1}, 1, "ALTER SYSTEM RESET restore_command was refused"),
    ],
)
def test_a_cluster_that_cannot_come_back_leaves_what_was_there(image, capsys, values, size, message):
    (image.folder / "data" / "pgdata").mkdir()
    assert image.run("cluster", whole(size=size), **values) == 1
    (image.folder / "calls" / "stop").touch()
    out, err = capsys.readouterr()
    assert out == "" and message in err
    assert (image.folder / "data" / "pgdata").is_dir()


def test_a_node_that_still_runs_keeps_its_data(image, capsys):
    with cluster.locked(image.folder / "data" / "lock"):
        assert image.run("cluster", whole()) == 1
    assert capsys.readouterr().err == "asp-restore cluster: the data folder is still in use by the node\n"
    assert image.calls("pgbackrest") == []


def test_options_come_by_standard_input(image, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"repo1-path": "/elsewhere"}'))
    assert image.run("configure") == 0
    assert source.read_json(image.folder / "tmp" / "source.json") == {"repo1-path": "/elsewhere"}
    assert image.run() == 2 and image.run("tenant", "{") == 2 and image.run("tenant", '{"stanza": "x"}') == 2
    assert "wanted: configure | tenant REQUEST | cluster REQUEST" in capsys.readouterr().err

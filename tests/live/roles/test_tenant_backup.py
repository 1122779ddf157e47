"""Role tenant_backup on a deployed environment: check, converge, converge again, look; and a row out of a restore."""

import re
import secrets as random
import time
from datetime import UTC, datetime

import pytest

from centre.backup.backups import Repository, server, states
from centre.backup.scratch import restored
from centre.reach.psql import CellSql
from centre.reach.runtime import RuntimeFault
from inventory.names import Port
from stacks.configs.pgbackrest import DAILY, PLACES, VAULT, folder
from tests.live.roles.tenant_plays import act, play
from tests.support.polling import poll

SUBJECT = "29188"


@pytest.fixture(scope="module")
def subject(register):
    return register.municipality(SUBJECT)


@pytest.fixture(scope="module")
def cell(runtime, subject):
    return CellSql(runtime, subject.cell)


@pytest.fixture(scope="module")
def repository(cell):
    return Repository(cell)


@pytest.fixture(scope="module")
def arguments(register):
    return {"environment": register.environment.id, "municipalities": [SUBJECT]}


@pytest.fixture(scope="module")
def run(arguments):
    """Runs a role's action on the subject."""
    return lambda role="tenant_backup", check=False, **variables: act(role, check, **arguments, **variables)


@pytest.fixture(scope="module")
def role(arguments, tmp_path_factory):
    """Runs the role on the subject by ansible-playbook."""
    return lambda check=False: play(tmp_path_factory.mktemp("play"), "tenant_backup", check, **arguments)


@pytest.fixture(scope="module")
def made_anew(run):
    """The subject's database has just been made again: no backup contains it yet."""
    for state in ({"state": "absent", "confirm": [SUBJECT]}, {"state": "present"}):
        result = run("tenant_database", **state)
        assert result.code == 0, result.text


@pytest.fixture(scope="module")
def covered(made_anew, role, run, repository):
    """Check mode, then a run; the check's result and the backups before."""
    before = [backup["label"] for backup in repository.catalogue().backups]
    preview = role(check=True)
    assert [backup["label"] for backup in repository.catalogue().backups] == before, "check mode took a backup"
    result = run()
    assert result.code == 0, result.text
    return preview, result, before


def test_a_database_made_after_the_last_backup_is_in_the_archive_at_once(covered, repository, cell, subject):
    preview, result, before = covered
    assert (preview.code, preview.changed) == (0, 1), preview.text
    assert f"without {subject.tenant}" in preview.text
    assert result.changed == 1
    assert [backup["label"] for backup in repository.catalogue().backups] == before, "the schedule takes backups"
    (creation,) = server(cell, [subject.tenant])[0].values()
    for state in states(cell).values():
        assert state.archived[subject.tenant] == creation.oid != state.inside.get(subject.tenant)


def test_again_nothing_is_done(covered, role, repository):
    labels = [backup["label"] for backup in repository.catalogue().backups]
    again = role()
    assert (again.code, again.changed) == (0, 0), again.text
    assert [backup["label"] for backup in repository.catalogue().backups] == labels


def test_wal_reaches_the_repository(covered, repository):
    before = repository.catalogue().last_wal
    repository.prove_archiving()
    assert repository.catalogue().last_wal > before
    assert repository.archiver()["failing"] is False


def test_a_row_written_after_the_backup_comes_back_until_its_moment(covered, repository, cell, subject):
    version = random.token_hex(8)
    where = f"asp_meta.migrations WHERE system = 'restore-proof' AND version = '{version}'"
    moment = datetime.now(UTC)
    as_owner = f"\\connect {subject.tenant}\nSET ROLE asp_owner;\n"
    cell.script(f"{as_owner}INSERT INTO asp_meta.migrations VALUES ('restore-proof', '{version}');")
    try:
        repository.prove_archiving()
        with restored(cell, subject.tenant) as scratch:
            assert scratch.script(f"SELECT version FROM {where}").split() == [version]
        with restored(cell, subject.tenant, until=moment) as scratch:
            assert scratch.script(f"SELECT count(*) FROM {where}").split() == ["0"]
    finally:
        cell.script(f"{as_owner}DELETE FROM {where};")


def test_the_encrypted_repository_alone_brings_a_row_back(covered, repository, cell, subject):
    vault = Repository(cell, VAULT)
    assert any(backup["type"] == "full" for backup in vault.catalogue().backups)
    head = f"head -c 8 {folder(VAULT)}/repo/backup/{repository.stanza}/backup.info"
    assert cell.runtime.check(repository.service, ["sh", "-c", head]) == "Salted__", "as openssl marks what it encrypts"
    version = random.token_hex(8)
    where = f"asp_meta.migrations WHERE system = 'restore-proof' AND version = '{version}'"
    as_owner = f"\\connect {subject.tenant}\nSET ROLE asp_owner;\n"
    cell.script(f"{as_owner}INSERT INTO asp_meta.migrations VALUES ('restore-proof', '{version}');")
    try:
        repository.prove_archiving()
        with restored(cell, subject.tenant, repository=VAULT) as scratch:
            assert scratch.script(f"SELECT version FROM {where}").split() == [version]
    finally:
        cell.script(f"{as_owner}DELETE FROM {where};")


def test_the_next_backup_holds_it_as_it_is_now(covered, repository, cell, subject, role):
    name, (creation,) = subject.tenant, server(cell, [subject.tenant])[0].values()
    assert states(cell)[DAILY].inside.get(name) != creation.oid, "until now replay alone brought it"
    repository.back_up("incr")
    assert states(cell)[DAILY].inside[name] == creation.oid
    assert role().changed == 0
    with restored(cell, name) as scratch:
        assert scratch.script("SELECT count(*) FROM asp_meta.migrations").strip() != "0"


def test_what_does_not_fit_into_memory_is_restored_on_a_disk(covered, cell, subject, monkeypatch):
    calls = []
    monkeypatch.setattr("centre.backup.scratch._memory", lambda *_: calls.append(1) or 8)
    with restored(cell, subject.tenant) as copy:
        (mount,) = [mount for mount in copy.container.attrs["Mounts"] if mount["Destination"] == "/data"]
        assert mount["Type"] == "volume"
        assert copy.script("SELECT count(*) FROM asp_meta.migrations").strip() != "0"
    assert calls == [1]


# Turns some bytes in the middle of a file over; a second time it is as before.
FLIP = """
import os, sys
with open(sys.argv[1], "r+b") as file:
    middle = os.path.getsize(sys.argv[1]) // 2
    file.seek(middle)
    bytes_ = file.read(64)
    file.seek(middle)
    file.write(bytes(byte ^ 255 for byte in bytes_))
"""


@pytest.mark.parametrize("number", PLACES)
def test_a_damaged_bundle_is_found_and_reported_until_it_is_mended(covered, cell, number):
    repository = Repository(cell, number)
    repository.verify()
    whole = repository.finding()
    assert whole["damage"] == "" and time.time() - whole["at"] < 300
    label = next(backup["label"] for backup in repository.catalogue().backups if backup["type"] == "full")
    bundle = f"{folder(number)}/repo/backup/{repository.stanza}/{label}/bundle/1"

    def flip():
        cell.runtime.check(repository.service, ["python3", "-c", FLIP, bundle])

    flip()
    try:
        with pytest.raises(RuntimeFault, match=f"repository {number} is not proven whole: .*status: error.*{label}"):
            repository.verify()
        assert label in (damaged_state := repository.finding())["damage"] and damaged_state["at"] == whole["at"]
    finally:
        flip()
    repository.verify()
    healthy_state = repository.finding()
    assert healthy_state["damage"] == "" and healthy_state["at"] > whole["at"]


def test_a_tenant_that_was_never_backed_up_cannot_be_restored(covered, cell):
    message = "restore-t00000-[0-9a-f]+: exited with 1: asp-restore tenant: no database t00000"
    with pytest.raises(RuntimeFault, match=message), restored(cell, "t00000"):
        pass


def test_a_tenant_without_database_is_named(covered, run):
    assert run("tenant_database", state="absent", confirm=[SUBJECT]).code == 0
    try:
        result = run()
        assert result.code != 0
        assert f"no database t{SUBJECT}; run role tenant_database first" in result.text
        assert run(check=True).changed == 1
    finally:
        assert run("tenant_database").code == 0
        assert run().code == 0


METRICS = """
import http.client, ssl
tls = ssl.create_default_context(cafile='/etc/asp/ca.crt')
if {certificate}: tls.load_cert_chain('/run/secrets/tls.crt', '/run/secrets/tls.key')
c = http.client.HTTPSConnection({host!r}, {port}, context=tls, timeout=5)
c.request('GET', '/metrics'); print(c.getresponse().read().decode())
"""


def test_backups_are_told_as_metrics_to_who_has_a_certificate(cell, repository, covered):
    def ask(certificate):
        code = METRICS.format(host=cell.cell.backup, port=Port.BACKUP_METRICS.value, certificate=certificate)
        return cell.runtime.run(cell.node, ["python3", "-c", code])

    newest = repository.catalogue().newest
    labels = f'repository="1",type="{newest["type"]}"'
    line = f"asp_backup_newest_timestamp_seconds{{{labels}}} {newest['timestamp']['stop']}"
    metrics = poll(lambda: ask(True).out.splitlines(), lambda lines: line in lines, 60, "the newest backup is told")
    wal = [float(text.split()[-1]) for text in metrics if text.startswith("asp_archive_newest_wal")]
    assert len(wal) == len(PLACES) and all(time.time() - moment < 600 for moment in wal), wal
    refusal = ask(False)
    assert refusal.code != 0 and re.search("certificate required|reset by peer", refusal.err)

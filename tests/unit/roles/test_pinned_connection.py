"""The connection to machines against a server: commands, files, and whom it does not speak to."""

from __future__ import annotations

import importlib

import paramiko
import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext

from centre.reach import ssh
from tests.support import modules  # noqa: F401 - puts the collections on Python's path
from tests.support.ssh_server import VANISH, pair, serving

PINNED = importlib.import_module("ansible_collections.asp.centre.plugins.connection.pinned")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Options by which the server is reached."""
    file = tmp_path_factory.mktemp("operator") / "id"
    text, operator = pair()
    file.write_text(text)
    _, host_key = pair()
    with serving(host_key, operator) as port:
        yield {
            "host": "127.0.0.1", "port": port, "remote_user": "root", "private_key_file": str(file), "timeout": 10,
            "host_key": ssh.public(host_key),
        }  # fmt: skip


@pytest.fixture
def connect(machine, monkeypatch):
    opened = []

    def to(**changes):
        options = machine | changes
        connection = PINNED.Connection(PlayContext(), None)
        monkeypatch.setattr(connection, "get_option", lambda name, hostvars=None: options[name])
        opened.append(connection)
        return connection

    yield to
    for connection in opened:
        connection.close()


def test_a_command_has_its_input_its_output_its_errors_and_its_exit_code(connect):
    connection = connect()
    assert connection.exec_command("cat; echo wrong >&2; exit 3", b"in\n") == (3, b"in\n", b"wrong\n")
    assert connection.exec_command("true") == (0, b"", b"")


def test_a_machine_that_dies_meanwhile_is_no_command_that_failed(connect):
    with pytest.raises(AnsibleConnectionFailure, match="the connection ended while 'vanish' ran"):
        connect().exec_command(VANISH.decode())


def test_much_output_on_both_streams_does_not_stop_it(connect):
    much = 3 * 2**20  # more than a window, which the other end waits for
    command = f"head -c {much} /dev/zero | tr '\\0' a; head -c {much} /dev/zero | tr '\\0' b >&2"
    code, output, errors = connect().exec_command(command)
    assert (code, len(output), len(errors), set(output), set(errors)) == (0, much, much, {97}, {98})


def test_files_go_there_and_come_back_whole(connect, tmp_path):
    here, there, back = (tmp_path / name for name in ("here", "there with 'quotes'", "back"))
    here.write_bytes(bytes(range(256)) * 3000)
    connection = connect()
    connection.put_file(str(here), str(there))
    connection.fetch_file(str(there), str(back))
    assert back.read_bytes() == there.read_bytes() == here.read_bytes()
    with pytest.raises(AnsibleError, match="cannot read /none: cat: /none: No such file"):
        connection.fetch_file("/none", str(back))
    with pytest.raises(AnsibleError, match="cannot write /none/x"):
        connection.put_file(str(here), "/none/x")


def test_a_machine_with_another_key_is_told_both_and_nothing_is_run(connect, machine):
    other = ssh.public(pair()[1])
    with pytest.raises(AnsibleConnectionFailure) as refusal:
        connect(host_key=other).exec_command("true")
    assert f"seen: {machine['host_key']}; wanted: {other}" in str(refusal.value)


def test_a_key_of_another_kind_is_another_key(connect):
    other = ssh.public(paramiko.RSAKey.generate(2048))
    with pytest.raises(AnsibleConnectionFailure, match=r"another host key .*; wanted: ssh-rsa AAAA"):
        connect(host_key=other).exec_command("true")


def test_a_key_that_the_machine_does_not_admit_is_told(connect, tmp_path):
    stranger = tmp_path / "stranger"
    stranger.write_text(pair()[0])
    with pytest.raises(AnsibleConnectionFailure, match="127.0.0.1: refuses root with the operator's key"):
        connect(private_key_file=str(stranger)).exec_command("true")


def test_a_machine_that_does_not_answer_is_told(connect):
    with pytest.raises(AnsibleConnectionFailure, match="127.0.0.1: no SSH on port 1 .*Start the machine"):
        connect(port=1).exec_command("true")


def test_an_operators_key_that_is_not_there_is_told(connect):
    with pytest.raises(AnsibleError, match="ASP_MACHINE_KEY: seen no file /none; wanted: the operator's private key"):
        connect(private_key_file="/none").exec_command("true")

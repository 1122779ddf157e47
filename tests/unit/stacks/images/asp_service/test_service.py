"""What the image programs share: whole files, locks, log lines, metrics for holders of our certificate."""

import json
import os
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from asp_service import files, metrics, places, tls
from asp_service.log import Changes, Log

from stacks.configs import places as outside
from tests.support.polling import poll


def test_inside_and_outside_mean_the_same_places():
    assert (places.CERTIFICATE, places.KEY, places.ROOT) == (
        outside.CERTIFICATE_FILE,
        outside.KEY_FILE,
        outside.ROOT_FILE,
    )


def test_a_file_is_replaced_at_once_and_for_its_owner_only(tmp_path):
    file = tmp_path / "state.json"
    files.write_json(file, {"a": 1})
    files.write_json(file, {"b": "ű"})
    assert files.read_json(file) == {"b": "ű"} and os.listdir(tmp_path) == ["state.json"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    file = tmp_path / "state.json"
    files.write_whole(file, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_whole(file, "new")
    assert file.read_text() == "old"


@pytest.mark.parametrize("text", [None, "", "{"])
def test_what_is_no_json_is_nothing(tmp_path, text):
    if text is not None:
        (tmp_path / "x").write_text(text)
    assert files.read_json(tmp_path / "x") is None


def test_a_lock_is_held_by_one_and_free_afterwards(tmp_path):
    lock, late = files.locked(tmp_path / "lock"), files.locked(tmp_path / "lock", 0.1)
    with lock, pytest.raises(TimeoutError, match="still locked after 0.1 s"), late:
        pass
    with files.locked(tmp_path / "lock", 0.1):
        pass


def test_a_process_that_was_started_meanwhile_holds_the_lock_on(tmp_path):
    with files.locked(tmp_path / "lock", inherit=True) as descriptor:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(descriptor,))
    with pytest.raises(TimeoutError), files.locked(tmp_path / "lock", 0.1):
        pass
    child.kill()
    child.wait()
    with files.locked(tmp_path / "lock", 5):
        pass


def test_a_line_of_log_is_one_json_object_with_the_app_servers_fields(capsys):
    Log("asp-node").warning('egy "szó"\nés még egy')
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry.pop("time") > 1_700_000_000
    assert entry == {"level": "WARNING", "logger": "asp-node", "message": 'egy "szó"\nés még egy'}


def test_what_lasts_is_said_once_and_again_when_it_comes_back(capsys):
    faults = Changes(Log("x"))
    assert not faults.over()
    assert [faults.say("a"), faults.say("a"), faults.say("b"), faults.over(), faults.say("b")] == [
        True, False, True, True, True,
    ]  # fmt: skip
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_metrics_are_prometheus_text():
    values = metrics.Metrics({"a_total": "Runs.", "b": "Now."})
    values.set("b", 1.5)
    values.add("a_total", outcome="done")
    values.add("a_total", outcome="done")
    assert values.text().splitlines() == [
        "# HELP a_total Runs.",
        "# TYPE a_total counter",
        'a_total{outcome="done"} 2',
        "# HELP b Now.",
        "# TYPE b gauge",
        "b 1.5",
    ]


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The URL of a metrics server whose certificate is of the root in `tmp_path`."""
    root, key, leaf = (str(tmp_path / name) for name in ("ca.crt", "tls.key", "tls.crt"))
    # One certificate that is its own root: enough for both sides to know one another by.
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", root],
        check=True, capture_output=True,
    )  # fmt: skip
    os.link(root, leaf)
    for name, value in (("ROOT", root), ("KEY", key), ("CERTIFICATE", leaf)):
        monkeypatch.setattr(tls, name, value)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    metrics.serve(lambda: "up 1\n", port)
    return f"https://localhost:{port}"


def test_metrics_are_for_holders_of_a_certificate_of_our_root(server):
    def get(path, context):
        with urllib.request.urlopen(server + path, context=context, timeout=10) as answer:
            return answer.read()

    assert poll(lambda: get("/metrics", tls.client()), bool, 10, "the server answers") == b"up 1\n"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get("/", tls.client())
    stranger = ssl.create_default_context(cafile=tls.ROOT)
    with pytest.raises(OSError, match="certificate required|reset by peer|EOF occurred"):
        get("/metrics", stranger)


def test_short_commands_load_no_more_than_they_need():
    """`asp-backup state` and `asp-node status` are run for each look at a cell."""
    code = "import sys, asp_backup.__main__; print(sorted(set(sys.modules) & {'ssl', 'http.server', 'logging'}))"
    argv = [sys.executable, "-c", code]
    path = os.pathsep.join(sys.path)
    process = subprocess.run(argv, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"

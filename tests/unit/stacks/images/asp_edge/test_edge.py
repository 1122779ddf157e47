"""The edge's control program without HAProxy: files whole or not at all, and what was there comes back on failure."""

import contextlib
import dataclasses
import io
import signal
import socket
import subprocess
import threading

import pytest
from asp_edge import __main__ as program
from asp_edge import certificates, haproxy, revocation, running, store, tenants
from asp_edge.settings import EdgeFault, Settings

HOST = "minta.asp.test"
TENANT = {"host": HOST, "ksh": "16054", "cell": "baz1"}
LIST = """\
nextUpdate=2026-11-24 09:02:45Z
Certificate Revocation List (CRL):
        CRL Number:
            7
Revoked Certificates:
    Serial Number: E5AA74F89FE0434DFB55D611E734E7B5
        Revocation Date: Nov 23 09:02:45 2026 GMT
    Serial Number: 0A01
        Revocation Date: Nov 23 09:02:45 2026 GMT
"""


@pytest.fixture
def settings(tmp_path):
    leaf, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    leaf.write_text("CERTIFICATE\n")
    key.write_text("KEY\n")
    (tmp_path / "run").mkdir()
    settings = Settings(data=tmp_path / "data", run=tmp_path / "run", leaf=leaf, leaf_key=key, pki="", crl_seconds=1)
    store.prepare(settings)
    return settings


class Master:
    """HAProxy's master as far as it is asked here: what it was told, in order, and what it refuses."""

    ANSWERS = {
        "new ssl cert": "New empty certificate store!",
        "set ssl cert": "Transaction created for certificate!",
        "commit ssl cert": "Committing\nSuccess!",
        "add ssl crt-list": "Inserting certificate\nSuccess!",
        "del ssl crt-list": "Entry deleted in crtlist!",
        "del ssl cert": "Certificate deleted!",
        "reload": "Success=1\n--\n",
        "show proc": "# workers\n70 worker 0\n# old workers\n68 worker 1\n# programs\n",
    }

    def __init__(self):
        self.told, self.refused = [], set()

    @property
    def reloads(self):
        return self.told.count("reload")

    def command(self, address, text):
        self.told.append(text)
        verb = text.removeprefix("@1 ").removeprefix("@!68 ")
        if any(verb.startswith(refused) for refused in self.refused):
            return "Operations are currently locked!\n"
        return next((answer for start, answer in self.ANSWERS.items() if verb.startswith(start)), "\n")

    def validate(self, settings):
        self.told.append("validate")
        if "validate" in self.refused:
            raise EdgeFault("line 7 is wrong")


@pytest.fixture
def master(monkeypatch):
    """The certificate authority always signs."""
    master = Master()
    monkeypatch.setattr(haproxy, "command", master.command)
    monkeypatch.setattr(haproxy, "validate", master.validate)
    monkeypatch.setattr(certificates, "issue", lambda settings, host, token: f"PEM of {host} by {token}\n")
    monkeypatch.setattr(certificates, "describe", lambda file: {"file": file.name} if file.exists() else None)
    return master


def files(settings):
    return {
        str(file.relative_to(settings.data)): file.read_text()
        for file in settings.data.rglob("*")
        if file.is_file() and file != settings.lock
    }


def test_before_the_first_list_of_revocations_staff_systems_are_closed(settings):
    assert settings.crl_until.read_text() == "until 0\n"


def test_preparing_keeps_what_is_there(settings, master):
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    before = files(settings)
    (settings.certificates / ".x.pem.abc.new").write_text("half a file")
    store.prepare(settings)
    assert files(settings) == before
    assert settings.combined_leaf.read_text() == "CERTIFICATE\nKEY\n"


def test_a_tenant_is_opened_once_certificate_first(settings, master):
    first = tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert first == {"changed": {HOST: ["certificate", "map"]}}
    assert settings.tenants.read_text() == f"{HOST} 16054:baz1\n"
    file = settings.certificate(HOST)
    assert file.stat().st_mode & 0o777 == 0o600
    assert master.told == [
        f"@1 new ssl cert {file}",
        f"@1 set ssl cert {file} <<\nPEM of {HOST} by T\n",
        f"@1 commit ssl cert {file}",
        f"@1 add ssl crt-list {settings.certificates} {file}",
        f"@1 add map {settings.tenants} {HOST} 16054:baz1",
    ]
    assert tenants.apply(settings, {"present": [TENANT]}) == {"changed": {}}
    assert len(master.told) == 5


def test_a_renewed_certificate_replaces_the_former(settings, master):
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    master.told.clear()
    tenants.apply(settings, {"present": [TENANT | {"token": "U", "cell": "baz2"}]})
    file = settings.certificate(HOST)
    assert master.told == [
        f"@1 set ssl cert {file} <<\nPEM of {HOST} by U\n",
        f"@1 commit ssl cert {file}",
        f"@1 set map {settings.tenants} {HOST} 16054:baz2",
    ]


def test_an_empty_line_does_not_end_a_certificate_early(settings, master, monkeypatch):
    monkeypatch.setattr(certificates, "issue", lambda *_: "CHAIN\n\nKEY\n")
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert f"@1 set ssl cert {settings.certificate(HOST)} <<\nCHAIN\nKEY\n" in master.told


def test_many_tenants_cost_one_reload(settings, master):
    count = running.MOST_COMMANDS // 5 + 1
    many = [TENANT | {"host": f"h{n}.asp.test", "ksh": f"{10000 + n}", "token": "T"} for n in range(count)]
    assert len(tenants.apply(settings, {"present": many})["changed"]) == count
    assert master.told == ["validate", "reload"]
    assert not settings.unloaded.exists()


def test_closing_leaves_nothing(settings, master):
    before = files(settings)
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    master.told.clear()
    assert tenants.apply(settings, {"absent": [HOST]}) == {"changed": {HOST: ["map", "certificate"]}}
    file = settings.certificate(HOST)
    assert master.told == [
        f"@1 del map {settings.tenants} {HOST}",
        f"@1 del ssl crt-list {settings.certificates} {file}",
        f"@1 del ssl cert {file}",
    ]
    assert files(settings) == before
    assert tenants.apply(settings, {"absent": [HOST]}) == {"changed": {}}


@pytest.mark.parametrize("verb", ["new ssl cert", "set ssl cert", "commit ssl cert", "add ssl crt-list", "add map"])
def test_what_the_runtime_interface_refuses_comes_by_a_reload(settings, master, capsys, verb):
    master.refused = {verb}
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert master.told[-2:] == ["validate", "reload"]
    assert "Operations are currently locked" in capsys.readouterr().err
    assert not settings.unloaded.exists()


def test_the_key_of_a_certificate_is_in_no_log(settings, master, capsys):
    master.refused = {"set ssl cert"}
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert "PEM of" not in capsys.readouterr().err


@pytest.mark.parametrize("failing", ["validate", "reload"])
def test_a_refused_change_is_put_back_and_loaded_by_the_next(settings, master, failing):
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    before = files(settings)
    master.refused = {"set ssl cert", failing}
    with pytest.raises(EdgeFault, match="line 7 is wrong|did not reload"):
        tenants.apply(settings, {"present": [TENANT | {"host": "uj.asp.test", "token": "U"}], "absent": [HOST]})
    assert files(settings) == before
    master.refused, reloads = set(), master.reloads
    assert tenants.apply(settings, {"present": [TENANT]}) == {"changed": {}}
    assert master.reloads == reloads + 1, "HAProxy may hold a part of what was put back"


def test_a_change_that_was_put_back_is_taken_back_by_a_reload(settings, master, monkeypatch):
    verdicts = iter([EdgeFault("key values mismatch"), None])

    def validate(settings):
        if verdict := next(verdicts):
            raise verdict

    monkeypatch.setattr(haproxy, "validate", validate)
    master.refused = {"commit ssl cert"}
    with pytest.raises(EdgeFault, match="mismatch"):
        tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert master.told[-1] == "reload"
    assert not settings.unloaded.exists()


def test_what_step_ca_does_not_sign_leaves_haproxy_alone(settings, master, monkeypatch):
    def issue(settings, host, token):
        if host != HOST:
            raise EdgeFault("step-ca refuses /1.0/sign")
        return "PEM\n"

    monkeypatch.setattr(certificates, "issue", issue)
    with pytest.raises(EdgeFault, match="step-ca refuses"):
        tenants.apply(settings, {"present": [TENANT | {"host": host, "token": "T"} for host in (HOST, "uj.asp.test")]})
    assert (master.told, settings.unloaded.exists()) == ([], False)


class Killed(BaseException):
    """Ends a call at once, as a kill does: nothing that comes after it is done."""


def kill_at(monkeypatch, master, number):
    def command(address, text):
        if len(master.told) == number:
            raise Killed
        return Master.command(master, address, text)

    monkeypatch.setattr(haproxy, "command", command)
    monkeypatch.setattr(store.Change, "undo", lambda self: None)
    monkeypatch.setattr(running, "complete", lambda settings: False)


@pytest.mark.parametrize("number", range(5))
def test_whoever_comes_after_a_killed_one_loads_everything(settings, master, number):
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, master, number)
        with pytest.raises(Killed):
            tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert settings.unloaded.exists()
    master.told.clear()
    assert tenants.apply(settings, {"present": [TENANT]}) == {"changed": {}}
    assert (master.told, settings.unloaded.exists()) == (["validate", "reload"], False)


def test_a_change_after_a_killed_one_is_loaded_with_it(settings, master):
    settings.unloaded.touch()
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert (master.told, settings.unloaded.exists()) == (["validate", "reload"], False)


def test_a_tenant_without_certificate_and_token_is_refused(settings, master):
    with pytest.raises(EdgeFault, match=f"{HOST} has no certificate and no token"):
        tenants.apply(settings, {"present": [TENANT]})
    assert master.told == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "a.b\nc.d 16054"),
        ("host", "../x.y"),
        ("host", "localhost"),
        ("ksh", "160"),
        ("ksh", None),
        ("cell", "b:1"),
    ],
)
def test_what_could_break_the_map_is_refused(settings, master, field, value):
    with pytest.raises(EdgeFault, match=rf"{field} = .* is not usable"):
        tenants.apply(settings, {"present": [TENANT | {field: value, "token": "T"}]})


def test_status_tells_what_is_open(settings, master):
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    answer = tenants.status(settings, [HOST, "nincs.asp.test"])
    assert answer["open"] == 1
    assert answer["tenants"][HOST] == {"ksh": "16054", "cell": "baz1", "certificate": {"file": f"{HOST}.pem"}}
    assert answer["tenants"]["nincs.asp.test"] == {"ksh": None, "cell": None, "certificate": None}


def test_a_list_of_revocations_is_read():
    until, serials = revocation.parse(LIST)
    assert until == 1795510965
    assert serials == ["0A01", "E5AA74F89FE0434DFB55D611E734E7B5"]


def test_a_list_without_end_is_refused():
    with pytest.raises(EdgeFault, match="no end of validity"):
        revocation.parse(LIST.replace("nextUpdate", "lastUpdate"))


def test_the_lists_signature_is_checked_against_the_clerks_authority(settings, master, monkeypatch):
    calls = []
    monkeypatch.setattr(revocation, "openssl", lambda *words, data=None: calls.append(words) or LIST.encode())
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"list")
    revocation.refresh(settings)
    assert calls[0][-3:] == ("-verify", "-CAfile", str(settings.client_ca)), "before anything of it is read"


def test_a_list_is_laid_down_by_one_writer_at_a_time(settings, master, monkeypatch):
    taken_by, moments = [], []

    @contextlib.contextmanager
    def locked(settings):
        taken_by.append(True)
        yield
        taken_by.clear()

    monkeypatch.setattr(revocation, "locked", locked)
    monkeypatch.setattr(running, "load_list", lambda settings, change: moments.append(bool(taken_by)))
    serve_list(monkeypatch, LIST)
    revocation.refresh(settings)
    assert moments == [True]


def test_step_ca_is_asked_only_when_its_certificate_is_of_this_environment(settings, monkeypatch):
    contexts = []
    monkeypatch.setattr(certificates.ssl, "create_default_context", lambda cafile: f"trusts {cafile}")
    monkeypatch.setattr(
        certificates.urllib.request, "urlopen", lambda call, timeout, context: contexts.append(context) or io.BytesIO()
    )
    certificates.request(dataclasses.replace(settings, pki="https://ca:9000"), "/1.0/crl")
    assert contexts == [f"trusts {settings.root}"]


def test_a_file_that_changed_twice_comes_back_as_it_was_first(settings):
    change = store.Change(settings)
    for text in ("one\n", "two\n"):
        change.write(settings.tenants, text)
    change.undo()
    assert settings.tenants.read_text() == ""


@pytest.mark.parametrize("host", ["../x.y", "localhost", "a.b/c"])
def test_what_is_no_host_is_not_closed(settings, master, host):
    with pytest.raises(EdgeFault, match="is not a host name"):
        tenants.apply(settings, {"absent": [host]})


def test_a_list_is_taken_over_once_and_a_forged_one_never(settings, master, monkeypatch):
    def openssl(*arguments, data=None):
        if data == b"forged":
            raise EdgeFault("openssl crl: verify failure")
        return LIST.encode()

    monkeypatch.setattr(revocation, "openssl", openssl)
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"genuine")
    assert revocation.refresh(settings) is True
    assert revocation.refresh(settings) is False
    assert master.told == [
        *(f"@1 add acl {settings.revoked} {serial}" for serial in ("0A01", "E5AA74F89FE0434DFB55D611E734E7B5")),
        f"@1 set map {settings.crl_until} until 1795510965",
        "show proc",
        *(f"@!68 add acl {settings.revoked} {serial}" for serial in ("0A01", "E5AA74F89FE0434DFB55D611E734E7B5")),
    ], "all are refused before the list is good for longer"
    assert settings.revoked.read_text().split() == ["0A01", "E5AA74F89FE0434DFB55D611E734E7B5"]
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"forged")
    with pytest.raises(EdgeFault, match="verify failure"):
        revocation.refresh(settings)
    assert settings.crl_until.read_text() == "until 1795510965\n"


def serve_list(monkeypatch, text):
    """step-ca serves a list, and its signature holds."""
    monkeypatch.setattr(revocation, "openssl", lambda *arguments, data=None: text.encode())
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"genuine")


def test_a_revocation_outlives_a_step_ca_that_forgot_it(settings, master, monkeypatch):
    serve_list(monkeypatch, LIST)
    revocation.refresh(settings)
    empty = "".join(line for line in LIST.splitlines(keepends=True) if "Serial Number" not in line)
    serve_list(monkeypatch, empty.replace("2026", "2027"))
    assert revocation.refresh(settings) is True
    assert settings.revoked.read_text().split() == ["0A01", "E5AA74F89FE0434DFB55D611E734E7B5"]


def test_a_list_that_haproxy_did_not_take_is_loaded_by_the_next(settings, master, monkeypatch):
    serve_list(monkeypatch, LIST)
    master.refused = {"add acl", "reload"}
    with pytest.raises(EdgeFault, match="did not reload"):
        revocation.refresh(settings)
    assert "0A01" in settings.revoked.read_text(), "a start in between has it"
    master.refused = set()
    assert revocation.refresh(settings) is True
    assert (master.told[-1], settings.unloaded.exists()) == ("reload", False)
    assert revocation.refresh(settings) is False


def test_certificates_that_haproxy_refuses_hold_up_no_revocation(settings, master, monkeypatch):
    settings.unloaded.touch()
    serve_list(monkeypatch, LIST)
    master.refused = {"validate"}
    with pytest.raises(EdgeFault, match="line 7 is wrong"):
        revocation.refresh(settings)
    assert f"@1 set map {settings.crl_until} until 1795510965" in master.told
    assert master.told.index(f"@1 add acl {settings.revoked} 0A01") < master.told.index("validate")


def test_many_revocations_cost_one_reload(settings, master, monkeypatch):
    entries = "".join(f"    Serial Number: {number:08X}\n" for number in range(running.MOST_COMMANDS + 1))
    serve_list(monkeypatch, LIST + entries)
    revocation.refresh(settings)
    assert master.told[:2] == ["validate", "reload"]


def test_a_worker_that_ended_meanwhile_is_no_fault(settings, master, monkeypatch):
    serve_list(monkeypatch, LIST)

    def command(address, text):
        return "Can't find the target PID\n" if text.startswith("@!") else master.command(address, text)

    monkeypatch.setattr(haproxy, "command", command)
    assert revocation.refresh(settings) is True


def test_the_watch_survives_a_program_that_hangs(settings, monkeypatch, capsys):
    """openssl without an answer in time ended the watch for good: no list came any more."""
    stop = threading.Event()

    def refresh(settings):
        stop.set()
        raise subprocess.TimeoutExpired("openssl", 20)

    monkeypatch.setattr(revocation, "refresh", refresh)
    revocation.watch(settings, stop)
    assert "timed out after 20 seconds" in capsys.readouterr().err


def test_a_reload_that_failed_is_an_error(settings, monkeypatch):
    monkeypatch.setattr(haproxy, "command", lambda settings, text: "Success=0\n--\nno such file\n")
    with pytest.raises(EdgeFault, match="did not reload: Success=0"):
        haproxy.reload(settings)


def test_what_another_left_unfinished_stays_marked_when_step_ca_does_not_sign(settings, master, monkeypatch):
    def refuse(*_):
        raise EdgeFault("step-ca refuses /1.0/sign")

    monkeypatch.setattr(certificates, "issue", refuse)
    settings.unloaded.touch()
    with pytest.raises(EdgeFault, match="step-ca refuses"):
        tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert settings.unloaded.exists()


class Process:
    """HAProxy's master process: the signals that it got."""

    def __init__(self):
        self.signals = []

    def poll(self):
        return None

    def send_signal(self, number):
        self.signals.append(number)

    def terminate(self):
        self.signals.append(signal.SIGTERM)


@pytest.mark.parametrize(("seconds", "rest"), [(60, 0), (0, 3)])
def test_the_edge_ends_when_no_request_is_under_way_or_its_time_is_over(settings, monkeypatch, seconds, rest):
    idle, process = "0x7f: proto=sockpair fe=GLOBAL be=<NONE>\n", Process()
    answers = ["0x7f: proto=tcpv4 fe=https be=<NONE>\n" + idle] * 3

    def command(address, text):
        if text == "show proc":
            return "# workers\n70 worker 0\n# old workers\n68 worker 1\n"
        return answers.pop() if answers and text == "@!68 show sess" else idle

    monkeypatch.setattr(haproxy, "command", command)
    monkeypatch.setattr(haproxy, "PAUSE_SECONDS", 0)
    haproxy.end(settings, process, seconds)
    assert process.signals == [signal.SIGUSR1, signal.SIGTERM]
    assert len(answers) == rest


def test_an_edge_whose_master_is_gone_ends(settings):
    process = Process()
    haproxy.end(settings, process, 60)
    assert process.signals == [signal.SIGUSR1, signal.SIGTERM]


def test_the_program_says_how_it_is_used(capsys):
    assert program.main(["open"]) == 1
    assert "wanted: asp-edge serve | apply | status" in capsys.readouterr().err


def test_input_that_is_not_json_is_said_to_be_so(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("{"))
    assert program.main(["apply"]) == 2
    assert "standard input is not JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "serials"), [("0x7f5b7a629540 0A01\n0x7f5b7a6295b0 FF\n\n", ["0A01", "FF"]), ("\n", [])]
)
def test_the_running_workers_list_counts(settings, monkeypatch, answer, serials):
    commands = []
    monkeypatch.setattr(haproxy, "command", lambda address, text: commands.append((address, text)) or answer)
    monkeypatch.setattr("sys.stdin", io.StringIO("{}"))
    assert revocation.loaded(settings) == serials
    assert commands == [(settings.master_socket, f"@1 show acl {settings.revoked}")]


def test_an_answer_that_is_no_list_of_revocations_is_a_fault(settings, monkeypatch):
    monkeypatch.setattr(haproxy, "command", lambda *_: "Unknown ACL identifier. Please use #<id> or <file>.\n")
    with pytest.raises(EdgeFault, match="seen: 'Unknown ACL identifier"):
        revocation.loaded(settings)


def test_the_master_is_asked_again_while_it_reloads(settings):
    """HAProxy's master refused connections for an instant after each new list: a run ended with a stack trace."""
    settings.master_socket.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as master:
        master.bind(str(settings.master_socket))  # bound and not listening: refused
        with pytest.raises(EdgeFault, match="does not answer"):
            revocation.loaded(settings, patience=0)

        def answer():
            connection, _ = master.accept()
            with connection:  # as the master does: an answer that ends when the asker has ended
                while connection.recv(200):
                    pass
                connection.sendall(b"0x1 0A01\n\n")

        timer = threading.Timer(0.1, lambda: (master.listen(), answer()))
        timer.start()
        assert revocation.loaded(settings) == ["0A01"]
        timer.join()

"""The edge's control program without HAProxy: files whole or not at all, and what was there comes back on failure."""

import contextlib
import dataclasses
import io
import socket
import threading

import pytest
from asp_edge import __main__ as program
from asp_edge import certificates, haproxy, revocation, store, tenants
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


@pytest.fixture
def reloads(monkeypatch):
    """Counts reloads; the certificate authority always signs."""
    calls = []
    monkeypatch.setattr(haproxy, "validate", lambda settings: None)
    monkeypatch.setattr(haproxy, "reload", lambda settings: calls.append(1))
    monkeypatch.setattr(certificates, "issue", lambda settings, host, token: f"PEM of {host} by {token}\n")
    monkeypatch.setattr(certificates, "describe", lambda file: {"file": file.name} if file.exists() else None)
    return calls


def files(settings):
    return {
        str(file.relative_to(settings.data)): file.read_text()
        for file in settings.data.rglob("*")
        if file.is_file() and file != settings.lock
    }


def test_before_the_first_list_of_revocations_staff_systems_are_closed(settings):
    assert settings.crl_until.read_text() == "until 0\n"


def test_preparing_keeps_what_is_there(settings, reloads):
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    before = files(settings)
    (settings.certificates / ".x.pem.abc.new").write_text("half a file")
    store.prepare(settings)
    assert files(settings) == before
    assert settings.combined_leaf.read_text() == "CERTIFICATE\nKEY\n"


def test_a_tenant_is_opened_once(settings, reloads):
    first = tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert first == {"changed": {HOST: ["certificate", "map"]}}
    assert settings.tenants.read_text() == f"{HOST} 16054:baz1\n"
    assert settings.certificate(HOST).stat().st_mode & 0o777 == 0o600
    assert tenants.apply(settings, {"present": [TENANT]}) == {"changed": {}}
    assert len(reloads) == 1


def test_many_tenants_cost_one_reload(settings, reloads):
    many = [TENANT | {"host": f"h{n}.asp.test", "ksh": f"{10000 + n}", "token": "T"} for n in range(50)]
    assert len(tenants.apply(settings, {"present": many})["changed"]) == 50
    assert len(reloads) == 1


def test_closing_leaves_nothing(settings, reloads):
    before = files(settings)
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    assert tenants.apply(settings, {"absent": [HOST]}) == {"changed": {HOST: ["map", "certificate"]}}
    assert files(settings) == before
    assert tenants.apply(settings, {"absent": [HOST]}) == {"changed": {}}


@pytest.mark.parametrize("failing", ["validate", "reload"])
def test_a_refused_change_is_put_back(settings, reloads, monkeypatch, failing):
    tenants.apply(settings, {"present": [TENANT | {"token": "T"}]})
    before = files(settings)

    def refuse(settings):
        raise EdgeFault("line 7 is wrong")

    monkeypatch.setattr(haproxy, failing, refuse)
    with pytest.raises(EdgeFault, match="line 7 is wrong"):
        tenants.apply(settings, {"present": [TENANT | {"host": "uj.asp.test", "token": "U"}], "absent": [HOST]})
    assert files(settings) == before


def test_a_tenant_without_certificate_and_token_is_refused(settings, reloads):
    with pytest.raises(EdgeFault, match=f"{HOST} has no certificate and no token"):
        tenants.apply(settings, {"present": [TENANT]})
    assert reloads == []


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
def test_what_could_break_the_map_is_refused(settings, reloads, field, value):
    with pytest.raises(EdgeFault, match=rf"{field} = .* is not usable"):
        tenants.apply(settings, {"present": [TENANT | {field: value, "token": "T"}]})


def test_status_tells_what_is_open(settings, reloads):
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


def test_the_lists_signature_is_checked_against_the_clerks_authority(settings, reloads, monkeypatch):
    calls = []
    monkeypatch.setattr(revocation, "openssl", lambda *words, data=None: calls.append(words) or LIST.encode())
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"list")
    revocation.refresh(settings)
    assert calls[0][-3:] == ("-verify", "-CAfile", str(settings.client_ca)), "before anything of it is read"


def test_a_list_is_laid_down_by_one_writer_at_a_time(settings, reloads, monkeypatch):
    taken_by = []

    @contextlib.contextmanager
    def locked(settings):
        taken_by.append(True)
        yield
        taken_by.clear()

    monkeypatch.setattr(revocation, "locked", locked)
    monkeypatch.setattr(haproxy, "reload", lambda settings: reloads.append(bool(taken_by)))
    serve_list(monkeypatch, LIST)
    revocation.refresh(settings)
    assert reloads == [True]


def test_step_ca_is_asked_only_when_its_certificate_is_of_this_environment(settings, monkeypatch):
    contexts = []
    monkeypatch.setattr(certificates.ssl, "create_default_context", lambda cafile: f"trusts {cafile}")
    monkeypatch.setattr(
        certificates.urllib.request, "urlopen", lambda call, timeout, context: contexts.append(context) or io.BytesIO()
    )
    certificates.request(dataclasses.replace(settings, pki="https://ca:9000"), "/1.0/crl")
    assert contexts == [f"trusts {settings.root}"]


def test_a_file_that_changed_twice_comes_back_as_it_was_first(settings):
    change = store.Change()
    for text in ("one\n", "two\n"):
        change.write(settings.tenants, text)
    change.undo()
    assert settings.tenants.read_text() == ""


@pytest.mark.parametrize("host", ["../x.y", "localhost", "a.b/c"])
def test_what_is_no_host_is_not_closed(settings, reloads, host):
    with pytest.raises(EdgeFault, match="is not a host name"):
        tenants.apply(settings, {"absent": [host]})


def test_a_list_is_taken_over_once_and_a_forged_one_never(settings, reloads, monkeypatch):
    def openssl(*arguments, data=None):
        if data == b"forged":
            raise EdgeFault("openssl crl: verify failure")
        return LIST.encode()

    monkeypatch.setattr(revocation, "openssl", openssl)
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"genuine")
    assert revocation.refresh(settings) is True
    assert revocation.refresh(settings) is False
    assert len(reloads) == 1
    assert settings.revoked.read_text().split() == ["0A01", "E5AA74F89FE0434DFB55D611E734E7B5"]
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"forged")
    with pytest.raises(EdgeFault, match="verify failure"):
        revocation.refresh(settings)
    assert settings.crl_until.read_text() == "until 1795510965\n"


def serve_list(monkeypatch, text):
    """step-ca serves a list, and its signature holds."""
    monkeypatch.setattr(revocation, "openssl", lambda *arguments, data=None: text.encode())
    monkeypatch.setattr(revocation, "request", lambda settings, path: b"genuine")


def test_a_revocation_outlives_a_step_ca_that_forgot_it(settings, reloads, monkeypatch):
    serve_list(monkeypatch, LIST)
    revocation.refresh(settings)
    empty = "".join(line for line in LIST.splitlines(keepends=True) if "Serial Number" not in line)
    serve_list(monkeypatch, empty.replace("2026", "2027"))
    assert revocation.refresh(settings) is True
    assert settings.revoked.read_text().split() == ["0A01", "E5AA74F89FE0434DFB55D611E734E7B5"]


def refuse_to_reload(settings):
    raise EdgeFault("HAProxy did not reload: no such file")


def test_a_list_that_haproxy_did_not_load_is_taken_again(settings, reloads, monkeypatch):
    serve_list(monkeypatch, LIST)
    with monkeypatch.context() as patch:
        patch.setattr(haproxy, "reload", refuse_to_reload)
        with pytest.raises(EdgeFault, match="no such file"):
            revocation.refresh(settings)
    assert revocation.refresh(settings) is True
    assert len(reloads) == 1
    assert "0A01" in settings.revoked.read_text()


def test_a_reload_that_failed_is_an_error(settings, monkeypatch):
    monkeypatch.setattr(haproxy, "command", lambda settings, text: "Success=0\n--\nno such file\n")
    with pytest.raises(EdgeFault, match="did not reload: Success=0"):
        haproxy.reload(settings)


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

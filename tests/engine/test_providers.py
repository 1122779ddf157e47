"""`docker.Provider` towards daemons elsewhere: over TCP with TLS, and over SSH."""

from __future__ import annotations

import json

import pytest

from tests.engine.harness import volume
from tests.engine.remote import Authority, SshDaemon, TlsDaemon

BY_PROVIDER = volume("a", "opts=pulumi.ResourceOptions(provider=far)")


@pytest.fixture
def tls(tmp_path):
    with TlsDaemon(tmp_path) as daemon:
        yield daemon


@pytest.fixture
def ssh(tmp_path):
    with SshDaemon(tmp_path) as daemon:
        yield daemon


def provider(**settings) -> str:
    """Source line of the provider `far`."""
    return f"far = docker.Provider('far', **{settings!r})\n"


def test_a_daemon_over_tls(sandbox, tls):
    sandbox.write(provider(host=tls.url, cert_path=str(tls.folder)) + BY_PROVIDER)
    sandbox.up()
    assert sandbox.volumes() == ["a"]
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    material = {
        f"{name}_material": (tls.folder / f"{file}.pem").read_text(encoding="utf-8")
        for name, file in (("ca", "ca"), ("cert", "cert"), ("key", "key"))
    }
    sandbox.write(
        provider(host=tls.url, **material).replace(
            "**{", "opts=pulumi.ResourceOptions(additional_secret_outputs=['keyMaterial']), **{"
        )
        + BY_PROVIDER
        + volume("b", "opts=pulumi.ResourceOptions(provider=far)")
    )
    sandbox.up()
    assert sandbox.volumes() == ["a", "b"]
    sandbox.run("destroy", "-s", "dev", "--yes")
    assert sandbox.volumes() == []


def test_the_environment_names_a_daemon_over_tls(sandbox, tls, tmp_path):
    """The daemon's own authority counts, whatever other one the environment has for web sites."""
    Authority().issue(tmp_path / "web", "client")
    sandbox.write(volume("a"))
    web = str(tmp_path / "web" / "ca.pem")
    sandbox.up(DOCKER_HOST=tls.url, DOCKER_CERT_PATH=str(tls.folder), REQUESTS_CA_BUNDLE=web, CURL_CA_BUNDLE=web)
    assert sandbox.volumes() == ["a"]


def test_a_daemon_that_cannot_prove_who_it_is(sandbox, tls, tmp_path):
    Authority().issue(tmp_path / "stranger", "client")
    (tls.folder / "ca.pem").write_bytes((tmp_path / "stranger" / "ca.pem").read_bytes())
    sandbox.write(provider(host=tls.url, cert_path=str(tls.folder)) + BY_PROVIDER)
    output = sandbox.up(status=1)
    assert f"Cannot connect to the Docker daemon at {tls.url}" in output and "certificate verify failed" in output
    assert sandbox.volumes() == [] and "a" not in sandbox.resources()


def test_a_client_that_the_daemon_does_not_know(sandbox, tls, tmp_path):
    ca = (tls.folder / "ca.pem").read_bytes()
    Authority().issue(tls.folder, "client")
    (tls.folder / "ca.pem").write_bytes(ca)
    sandbox.write(provider(host=tls.url, cert_path=str(tls.folder)) + BY_PROVIDER)
    assert f"Cannot connect to the Docker daemon at {tls.url}" in sandbox.up(status=1)
    sandbox.write(provider(host=tls.url, cert_path=str(tmp_path / "nowhere")) + BY_PROVIDER)
    assert "Path to a certificate and key files must be provided" in sandbox.up(status=1)
    assert sandbox.volumes() == []


def test_a_daemon_over_ssh(sandbox, ssh):
    sandbox.write(provider(host=ssh.url, ssh_opts=ssh.options) + BY_PROVIDER)
    sandbox.up()
    assert sandbox.volumes() == ["a"] and ssh.sessions > 0
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    before = ssh.sessions
    sandbox.run("refresh", "-s", "dev", "--yes")
    sandbox.run("destroy", "-s", "dev", "--yes")
    assert sandbox.volumes() == [] and ssh.sessions > before


def test_an_ssh_server_that_refuses(sandbox, ssh):
    host = ssh.url.replace("operator", "stranger")
    sandbox.write(provider(host=host, ssh_opts=ssh.options) + BY_PROVIDER)
    output = sandbox.up(status=1)
    assert f"Cannot connect to the Docker daemon at {host}" in output and "Permission denied" in output
    unknown = ["-o", "UserKnownHostsFile=/dev/null", *ssh.options]
    sandbox.write(provider(host=ssh.url, ssh_opts=unknown) + BY_PROVIDER)
    assert "Host key verification failed" in sandbox.up(status=1)
    assert "a" not in sandbox.resources() and sandbox.volumes() == [] and ssh.sessions == 0


def test_settings_that_are_not_covered_are_refused(sandbox):
    sandbox.write(provider(context="far") + BY_PROVIDER)
    assert "has a problem: is not covered by the embedded engine; give host" in sandbox.up(status=1)
    sandbox.write(provider(host="ssh://") + BY_PROVIDER)
    assert "docker host 'ssh://' names no machine" in sandbox.up(status=1)
    assert json.loads(sandbox.run("stack", "export", "-s", "dev"))["deployment"].get("pending_operations") is None
    assert sandbox.volumes() == []

"""What `asp up` promises: everything stands as the programs say, and a second run changes nothing."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from centre.verbs import lock, preconditions
from centre.verbs.progress import StepFailed
from inventory.register import load
from stacks import order
from tests.support.long import of_family

ASP = [sys.executable, "-m", "centre"]
STACKS = [stack for wave in order.waves(load(os.environ.get("ASP_ENV") or "test")) for stack in wave]


def run(argv, environ=None, limit=300):
    return subprocess.run(argv, env={**os.environ, **(environ or {})}, capture_output=True, text=True, timeout=limit)


# The second up below says the same of all of them.
@pytest.mark.parametrize("stack", of_family(STACKS, STACKS[:1]), ids=lambda stack: f"{stack.project}-{stack.name}")
def test_nothing_to_change(register, stack):
    words = [stack.project, *(["--cell", stack.cell] if stack.cell else [])]
    result = run([*ASP, "stack", "--env", stack.environment, *words, "preview", "--refresh", "--expect-no-changes"])
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_plan_of_all_stacks_says_that_nothing_would_change(register):
    result = run([*ASP, "plan", register.environment.id, "--json", "--expect-no-changes"], limit=600)
    assert result.returncode == 0, result.stdout + result.stderr
    answer = json.loads(result.stdout)
    assert (answer["changes"], len(answer["stacks"])) == (False, len(STACKS))


def test_the_engines_own_command_works_in_a_projects_folder(register):
    """`eval "$(asp env …)" && cd stacks/network && … preview`, as Pulumi's people do it."""
    engine = f"{shlex.quote(sys.executable)} -m stacks.engine"
    script = f'eval "$({shlex.join(ASP)} env {register.environment.id})" && cd stacks/network && {engine} preview'
    result = run(["bash", "-c", f"{script} --expect-no-changes"])
    assert result.returncode == 0, result.stdout + result.stderr
    assert "unchanged" in result.stdout


def test_second_up_changes_nothing_and_says_so(register):
    result = run([*ASP, "up", register.environment.id], limit=600)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "nothing changed" in result.stdout, result.stdout


def test_two_runs_at_once_are_refused(register):
    env = register.environment.id
    with lock.hold(env, "up"):
        result = run([*ASP, "up", env])
        status = run([*ASP, "status", env])
    assert result.returncode == 1
    assert f"environment {env}: up (process {os.getpid()}) since " in result.stderr
    assert status.returncode == 0, status.stderr
    assert f"up (process {os.getpid()}) since " in status.stdout and "running 1/1" in status.stdout


def test_a_taken_port_is_one_message(register, monkeypatch):
    """Some other program has the https port: said before anything is touched, with what to do."""
    import socket

    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = other.getsockname()[1]
        changed = register.environment.ports.model_copy(update={"https": port})
        environment = register.environment.model_copy(update={"ports": changed})
        monkeypatch.setattr(register, "environment", environment)
        with pytest.raises(StepFailed, match=rf"port {port} \(https\): seen taken by another program .*, wanted free"):
            preconditions.ports(register)


def test_status_shows_services_and_addresses(register):
    result = run([*ASP, "status", register.environment.id])
    assert result.returncode == 0
    assert f"{register.names.edge} " in result.stdout
    assert "running 1/1" in result.stdout
    assert register.municipality("16054").url() in result.stdout


def test_status_as_json(register):
    result = run([*ASP, "status", register.environment.id, "--json"])
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert {service["name"] for service in answer["services"]} >= {register.names.edge, register.names.identity}
    assert answer["at_work"] is None


def test_a_clerks_certificate_opens_the_product(register, tmp_path):
    """`asp browse`: what it writes signs in at the edge, and its end revokes it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    from centre.verbs import browse
    from inventory.vault import vault
    from tests.support.edge_client import EdgeClient

    municipality = register.municipality("16054")
    text = browse.write(register, "minta.iktato", municipality, "127.0.0.1")
    try:
        sealed = (browse.folder_of(register.environment.id) / "minta.iktato-16054.p12").read_bytes()
        key, own, between = pkcs12.load_key_and_certificates(sealed, text.rsplit(": ", 1)[1].encode())
        pem = tmp_path / "clerk.pem"
        parts = [certificate.public_bytes(serialization.Encoding.PEM) for certificate in (own, *between)]
        unsealed = serialization.NoEncryption()
        parts.append(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unsealed))
        pem.write_bytes(b"".join(parts))
        page = EdgeClient(register, vault.load(register), pem).follow(municipality.url())
        assert (page.status, "Minta Ilona" in page.body) == (200, True), page.body[:500]
    finally:
        assert "certificates revoked" in browse.end(register)
    assert browse.end(register).startswith("0 certificates revoked"), "what is revoked is not revoked again"

"""One municipal PC in a container, reached by SSH, and a role's scenario run on it."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import testinfra
from cryptography.hazmat.primitives.asymmetric import ed25519
from testinfra.host import Host

from stacks.images.build import recipe
from tests.support import keys
from tests.support.containers import archive
from tests.support.polling import PATIENCE, poll
from tests.support.roles import COLLECTIONS, ENDPOINT

LABEL = {"asp.test": "roles"}
START_SECONDS = 20
# What sshd and sudo need, as the stand-ins of an environment have them.
CAPABILITIES = [
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID",
    "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT",
]  # fmt: skip


@dataclass(frozen=True)
class Play:
    """How a run went: exit code, number of changed tasks, output, and what the output counts."""

    code: int
    changed: int
    text: str


@dataclass(frozen=True)
class Workstation:
    """A running container, an inventory that names it, and a way to look at it."""

    container: docker.models.containers.Container
    inventory: Path
    host: Host

    def converge(self, role: str, *options: str, **variables: Any) -> Play:
        """Run the role's scenario, as somebody who has only the collection does."""
        summary = self.inventory.with_name("summary.json")
        summary.unlink(missing_ok=True)
        environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ASP_ENV")} | {
            "ANSIBLE_CONFIG": str(self.inventory.with_name("none.cfg")),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_STDOUT_CALLBACK": "asp.centre.lines",
            "ANSIBLE_NOCOLOR": "1",
            "ASP_PLAY_SUMMARY": str(summary),
        }
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            str(self.inventory),
            "--diff",
            *options,
        ]
        book = ENDPOINT / "roles" / role / "molecule" / "default" / "converge.yml"
        process = subprocess.run(
            [*command, "-e", json.dumps(variables), str(book)],
            cwd=self.inventory.parent, env=environ, capture_output=True, text=True, timeout=120 * PATIENCE,
        )  # fmt: skip
        text = process.stdout + process.stderr
        assert summary.is_file(), f"the play did not end:\n{text[-3000:]}"
        return Play(process.returncode, json.loads(summary.read_text())["changed"], text)

    def verify(self, role: str) -> None:
        """The role's own look at what it brought about."""
        file = ENDPOINT / "roles" / role / "molecule" / "default" / "verify.py"
        spec = importlib.util.spec_from_file_location(f"verify_{role}", file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.verify(self.host)

    def run(self, *argv: str, user: str = "root") -> str:
        """Output of a command in the container."""
        code, output = self.container.exec_run(list(argv), user=user)
        assert code == 0, f"{argv}: exit code {code}: {output.decode()}"
        return output.decode()

    def write(self, path: str, text: str) -> None:
        self.run("sh", "-c", 'printf %s "$1" > "$2"', "sh", text, path)


@contextmanager
def workstation(folder: Path) -> Iterator[Workstation]:
    """A computer just installed; removed afterwards. `folder`: for keys and inventory."""
    client = docker.from_env(timeout=60)
    host_key, key = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    container = client.containers.create(
        recipe.reference("workstation"),
        name=f"asp-test-role-{secrets.token_hex(4)}",
        labels=LABEL,
        ports={"22/tcp": ("127.0.0.1", None)},
        cap_drop=["ALL"],
        cap_add=CAPABILITIES,
        init=True,
        shm_size="512m",
        mem_limit="2g",
    )
    try:
        container.put_archive("/", archive({
            "run/secrets/ssh_host_ed25519_key": keys.private(host_key),
            "etc/ssh/authorized_keys/asp-admin": keys.public(key) + "\n",
        }, lambda name: 0o400 if "secrets" in name else 0o444))  # fmt: skip
        container.start()
        container.reload()
        port = int(container.ports["22/tcp"][0]["HostPort"])
        inventory = _inventory(folder, port, key, host_key)
        _await_sshd(port)
        host = testinfra.get_host(f"docker://{container.name}")
        yield Workstation(container, inventory, host)
    finally:
        container.remove(force=True, v=True)


def _await_sshd(port: int) -> None:
    def banner() -> str:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as connection:
                return connection.recv(64).decode(errors="replace")
        except OSError as error:
            return str(error)

    poll(banner, lambda line: line.startswith("SSH-2.0"), START_SECONDS, "sshd answers")


def _inventory(folder: Path, port: int, key: ed25519.Ed25519PrivateKey, host_key: ed25519.Ed25519PrivateKey) -> Path:
    (folder / "none.cfg").write_text("")
    private = folder / "id"
    private.write_text(keys.private(key))
    private.chmod(0o600)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {keys.public(host_key)}\n")
    file = folder / "hosts.json"
    variables = {
        "ansible_host": "127.0.0.1",
        "ansible_port": port,
        "ansible_user": "asp-admin",
        "ansible_ssh_private_key_file": str(private),
        "ansible_ssh_common_args": f'-o UserKnownHostsFile="{folder / "known_hosts"}" -o IdentitiesOnly=yes',
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    file.write_text(json.dumps({"all": {"hosts": {"workstation": variables}}}))
    return file

"""Three machines in containers, on a network of their own: each with systemd, SSH, and a Docker of its own inside.

The register is a copy of environment `three` with the keys that these machines have. Nothing here speaks to the
Swarm of the machine that the tests run on.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import testinfra
from cryptography.hazmat.primitives.asymmetric import ed25519
from docker.models.containers import Container
from testinfra.host import Host

from inventory import hosts, paths
from inventory.register import Register
from tests.machines import image
from tests.support import keys
from tests.support.containers import archive
from tests.support.polling import PATIENCE, poll
from tests.unit.inventory.register_copy import Copy

LABEL = {"asp.test": "machines"}
NETWORK, SUBNET, OPERATOR = "asp-machines", "10.199.0.0/24", "10.199.0.1"
THREE = "environments/three/environment.yaml"
PLAY_SECONDS, START_SECONDS = 1500, 60
# What a daemon inside needs. --privileged fails where the machine itself lacks a capability.
CAPABILITIES = [
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_ADMIN",
    "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_CHROOT", "SYS_NICE",
    "SYS_PTRACE",
]  # fmt: skip
# The kernel is this machine's own: of its settings a container may write those of its network only.
START = """
mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys
mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,rw /proc/sys/net
for group in /sys/fs/cgroup/*; do mount -o remount,bind,rw "$group"; done
exec /sbin/init
"""


@dataclass(frozen=True)
class Play:
    """How a run went: exit code, number of changed tasks, output."""

    code: int
    changed: int
    text: str


@dataclass
class Fleet:
    """The machines by id, the register that names them, and the playbook that prepares them."""

    client: docker.DockerClient
    folder: Path
    copy: Copy
    containers: dict[str, Container] = field(default_factory=dict)
    operator: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)

    @property
    def register(self) -> Register:
        return self.copy.load()

    def address(self, machine: str) -> str:
        return next(m.address for m in self.register.environment.machines if m.id == machine)

    def install(self, machine: str) -> None:
        """A machine anew, with a key of its own, which the register is told."""
        if machine in self.containers:
            self.remove(machine)
        key = ed25519.Ed25519PrivateKey.generate()
        before = next(m.host_key for m in self.register.environment.machines if m.id == machine)
        assert before
        self.copy.edit(THREE, before, keys.public(key))
        container = self._create(machine, self.address(machine))
        self.containers[machine] = container
        container.put_archive("/", archive({
            "root/.ssh/authorized_keys": keys.public(self.operator) + "\n",
            "etc/ssh/ssh_host_ed25519_key": keys.private(key),
            "etc/ssh/ssh_host_ed25519_key.pub": keys.public(key) + "\n",
        }, lambda _: 0o600))  # fmt: skip
        container.start()
        self.await_ssh(machine)

    def _create(self, name: str, address: str) -> Container:
        api = self.client.api
        config = api.create_host_config(
            cap_drop=["ALL"],
            cap_add=CAPABILITIES,
            security_opt=["seccomp=unconfined"],
            tmpfs={"/run": "", "/run/lock": ""},
            mem_limit="3g",
        )
        config |= {"MaskedPaths": [], "ReadonlyPaths": [], "CgroupnsMode": "private"}
        endpoint = api.create_networking_config({NETWORK: api.create_endpoint_config(ipv4_address=address)})
        created = api.create_container(
            image.reference(),
            ["/bin/sh", "-c", START],
            name=f"asp-machines-{name}",
            hostname=name,
            labels=LABEL,
            environment={"container": "docker"},
            volumes=["/var/lib/docker"],
            host_config=config,
            networking_config=endpoint,
        )
        return self.client.containers.get(created["Id"])

    def await_ssh(self, machine: str) -> None:
        def banner() -> str:
            try:
                with socket.create_connection((self.address(machine), 22), 2) as connection:
                    return connection.recv(64).decode(errors="replace")
            except OSError as error:
                return str(error)

        poll(banner, lambda text: text.startswith("SSH-2.0"), START_SECONDS, f"sshd of {machine} answers")

    def remove(self, machine: str) -> None:
        self.containers.pop(machine).remove(force=True, v=True)

    def host(self, machine: str) -> Host:
        return testinfra.get_host(f"docker://{self.containers[machine].name}")

    def run(self, machine: str, *argv: str) -> str:
        """Output of a command on a machine."""
        code, output = self.containers[machine].exec_run(list(argv))
        assert code == 0, f"{machine}: {argv}: exit code {code}: {output.decode()}"
        return str(output.decode())

    def nodes(self, machine: str = "m1") -> dict[str, dict[str, Any]]:
        """Nodes of the Swarm by their machine's label, as a manager has them."""
        ids = self.run(machine, "docker", "node", "ls", "--quiet").split()
        every = json.loads(self.run(machine, "docker", "node", "inspect", *ids))
        return {node["Spec"]["Labels"].get("asp.machine", node["ID"]): node for node in every}

    def key(self) -> Path:
        """The file of the operator's key."""
        file = self.folder / "operator"
        file.write_text(keys.private(self.operator))
        file.chmod(0o600)
        return file

    def play(self, *options: str) -> Play:
        """`playbooks/machines.yml` on the hosts that follow from the register, as an operator runs it."""
        key, summary = self.key(), self.folder / "summary.json"
        summary.unlink(missing_ok=True)
        inventory = self.folder / "hosts.json"
        inventory.write_text(json.dumps(_inventory(self.register)))
        environ = {
            **os.environ,
            "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg"),
            "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml",
            "ANSIBLE_NOCOLOR": "1",
            "ASP_MACHINE_KEY": str(key),
            "ASP_PLAY_SUMMARY": str(summary),
        }
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), "--diff"]
        process = subprocess.run(
            [*command, *options, "playbooks/machines.yml"],
            cwd=paths.ROOT, env=environ, capture_output=True, text=True, timeout=PLAY_SECONDS * PATIENCE,
        )  # fmt: skip
        text = process.stdout + process.stderr
        assert summary.is_file(), f"the play did not end:\n{text[-3000:]}"
        return Play(process.returncode, json.loads(summary.read_text())["changed"], text)

    def reaches(self, address: str, port: int, source: str = "") -> bool:
        """Whether a TCP port answers: from this computer, from a machine, or from a stranger's container."""
        code = f"import socket; socket.create_connection(({address!r}, {port}), 2)"
        if not source:
            return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
        return bool(self.containers[source].exec_run(["python3", "-c", code])[0] == 0)


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """Three machines just installed; everything of them is removed afterwards."""
    client = docker.from_env(timeout=120)
    with (Path(tempfile.gettempdir()) / "asp-machines.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # their addresses are fixed
        _clear(client)
        image.ensure(client)
        pool = docker.types.IPAMPool(subnet=SUBNET, gateway=OPERATOR)
        client.networks.create(NETWORK, ipam=docker.types.IPAMConfig(pool_configs=[pool]), labels=LABEL)
        try:
            machines = Fleet(client, folder, _register(folder))
            for machine in machines.register.environment.machines:
                machines.install(machine.id)
            yield machines
        finally:
            _clear(client)


def _register(folder: Path) -> Copy:
    """Environment `three` of machines as small as these, which this computer alone may reach by SSH."""
    copy = Copy(folder, "three")
    file = copy.root / THREE
    text = re.sub(r"capacity: \{memory.*\}", "capacity: {memory: 9216, processors: 1, disk: 12}", file.read_text())
    file.write_text(text.replace(f"networks: [{SUBNET}]", f"networks: [{OPERATOR}/32]"))
    return copy


def _inventory(register: Register) -> dict[str, Any]:
    """What the inventory plugin makes of a register, for one that is not the project's own."""
    machines = {host.name: host.variables for host in hosts.hosts(register) if hosts.MACHINES in host.groups}
    return {"all": {"vars": hosts.shared(register), "children": {hosts.MACHINES: {"hosts": machines}}}}


def _clear(client: docker.DockerClient) -> None:
    for container in client.containers.list(all=True, filters={"label": "asp.test=machines"}):
        container.remove(force=True, v=True)
    for network in client.networks.list(filters={"label": "asp.test=machines"}):
        network.remove()

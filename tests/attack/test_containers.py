"""Containers as Docker runs them: what an attacker inside one would have to begin with."""

from __future__ import annotations

from collections.abc import Iterator

from docker.models.containers import Container

from tests.attack.registry import Tries, attack, control
from tests.attack.target import Target

MOST_MEMORY = 2 * 2**30  # of one service
FORBIDDEN = {"SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "NET_ADMIN", "DAC_READ_SEARCH", "SYS_RAWIO", "ALL"}


def containers(target: Target) -> Iterator[tuple[str, Container]]:
    """Every service of the centre with its container; workstations are stand-ins of computers and no part of it."""
    names, cell = target.register.names, target.cell
    services = [names.edge, names.identity, names.identity_db, names.pki, *cell.databases, cell.backup]
    for service in (*services, *(cell.app(system) for system in target.register.installed_systems)):
        yield service, target.runtime.container(service)


def status(target: Target, service: str, *fields: str) -> dict[str, str]:
    """Fields of the status of the service's own program: the child of Docker's init, which is process 1."""
    result = target.runtime.run(service, ["sh", "-c", "cat /proc/[0-9]*/status 2>/dev/null; true"], timeout=20)
    processes: list[dict[str, str]] = []
    for line in result.out.splitlines():
        name, _, value = line.partition(":")
        if name == "Name":
            processes.append({})
        processes[-1][name] = value.strip()
    children = [process for process in processes if process.get("PPid") == "1"]
    control(bool(children), f"{service}: no process below init; {result.err}")
    return {field: children[0].get(field, "") for field in fields}


@attack("B01", "containers", "capabilities that a service does not need", short=True)
def test_capabilities(target: Target, tries: Tries) -> None:
    for service, container in containers(target):
        host = container.attrs["HostConfig"]
        added = {name.removeprefix("CAP_") for name in host.get("CapAdd") or []}
        dropped = {name.removeprefix("CAP_") for name in host.get("CapDrop") or []}
        tries.holds("ALL" in dropped and not added & FORBIDDEN, f"{service}: added {added}, dropped {dropped}")
        bits = status(target, service, "CapEff")["CapEff"]
        tries.holds(int(bits, 16).bit_count() <= 3, f"{service}: effective {bits}")


@attack("B02", "containers", "new rights by a set-uid program")
def test_no_new_privileges(target: Target, tries: Tries) -> None:
    for service, _ in containers(target):
        tries.holds(status(target, service, "NoNewPrivs")["NoNewPrivs"] == "1", f"{service}: no_new_privs is not set")


@attack("B03", "containers", "system calls that Docker's list of calls keeps away")
def test_seccomp(target: Target, tries: Tries) -> None:
    for service, _ in containers(target):
        tries.holds(status(target, service, "Seccomp")["Seccomp"] == "2", f"{service}: no filter of system calls")


@attack("B04", "containers", "writing programs into the container's own file system", short=True)
def test_read_only(target: Target, tries: Tries) -> None:
    for service, container in containers(target):
        tries.holds(container.attrs["HostConfig"].get("ReadonlyRootfs"), f"{service}: writable")


@attack("B05", "containers", "root inside a container")
def test_root(target: Target, tries: Tries) -> None:
    for service, _ in containers(target):
        user = status(target, service, "Uid")["Uid"].split()
        tries.holds(user and user[1] != "0", f"{service}: uid {user}")


@attack("B06", "containers", "the machine's own namespaces, devices, folders or Docker socket", short=True)
def test_host(target: Target, tries: Tries) -> None:
    for service, container in containers(target):
        host = container.attrs["HostConfig"]
        tries.holds(not host.get("Privileged"), f"{service}: privileged")
        tries.holds(host.get("NetworkMode") != "host" and host.get("PidMode", "") != "host", f"{service}: {host}")
        tries.holds(not host.get("Devices"), f"{service}: devices")
        for mount in container.attrs["Mounts"]:
            socket = "docker.sock" in mount.get("Source", "")
            tries.holds(
                mount["Type"] != "bind" or (not socket and "/docker/" in mount["Source"]), f"{service}: {mount}"
            )


@attack("B07", "containers", "a service takes the machine's memory, and with it any number of processes")
def test_limits(target: Target, tries: Tries) -> None:
    """The provider cannot write a limit of processes; memory bounds them, as ADR 0039 measured."""
    for service, container in containers(target):
        tries.holds(0 < container.attrs["HostConfig"].get("Memory", 0) <= MOST_MEMORY, f"{service}: no limit of memory")


@attack("B08", "containers", "secrets in variables, arguments, labels or the image", short=True)
def test_secrets(target: Target, tries: Tries) -> None:
    secrets = [target.secrets.system_key(system) for system in target.systems]
    secrets += [target.secrets.oidc_key(system) for system in target.systems]
    secrets += [target.secrets.password(name) for name in ("identity_admin", "postgres_pooler", "identity_db")]
    secrets += [target.issuer.key.splitlines()[1]]
    for service, container in containers(target):
        text = str(container.attrs) + str(container.image.attrs if container.image else "")
        tries.holds(not any(secret in text for secret in secrets), f"{service}: a secret stands in what Docker shows")


@attack("B09", "containers", "other users of a container read its keys")
def test_files_of_keys(target: Target, tries: Tries) -> None:
    find = ["find", "-L", "/run/secrets", "-type", "f", "-perm", "/o+r", "!", "-name", "*.crt"]  # those are public
    for service, _ in containers(target):
        result = target.runtime.run(service, find, timeout=20)
        tries.holds(not result.out.strip(), f"{service}: {result.out.split()}")


@attack("B10", "containers", "ports that others than the edge publish")
def test_ports(target: Target, tries: Tries) -> None:
    for service, container in containers(target):
        ports = {port for port, places in container.ports.items() if places}
        tries.holds(not ports or service == target.register.names.edge, f"{service}: publishes {ports}")


@attack("B11", "containers", "another system's keys inside an app server")
def test_keys_of_others(target: Target, tries: Tries) -> None:
    for system in target.systems:
        result = target.runtime.run(
            target.service(system), ["sh", "-c", "cat /run/secrets/* /etc/asp/* 2>/dev/null"], timeout=20
        )
        control(target.secrets.system_key(system) in result.out, f"{system}: its own key")
        for other in target.systems:
            tries.holds(
                other == system or target.secrets.system_key(other) not in result.out, f"{system}: key of {other}"
            )


@attack("B12", "containers", "one app server's key gives the sign-in secrets of other systems and municipalities")
def test_sign_in_secrets(target: Target, tries: Tries) -> None:
    for system in target.systems:
        result = target.runtime.run(target.service(system), ["sh", "-c", "cat /run/secrets/*"], timeout=20)
        control(target.secrets.oidc_key(system) in result.out, f"{system}: its own key of sign-in")
        for other in target.systems:
            key = target.secrets.oidc_key(other)
            tries.holds(other == system or key not in result.out, f"{system}: {other}'s key of sign-in")


@attack("B13", "containers", "uploads lie beside what the server lives on")
def test_uploads_apart(target: Target, tries: Tries) -> None:
    program = (
        "import glob, json, os, tempfile\nfrom systems import settings\n"
        "uploads = getattr(settings, 'FILE_UPLOAD_TEMP_DIR', None) or tempfile.gettempdir()\n"
        "places = [p for top in ('/tmp', '/run', '/dev/shm', '/var') "
        "for p in glob.glob(top + '/**/*_*.db', recursive=True)]\n"
        "print(json.dumps([os.stat(uploads).st_dev == os.stat(p).st_dev for p in places]))"
    )
    for system in target.systems:
        same = target.foothold(system).run(program)
        control(same, f"{system}: no counters to be seen")
        tries.holds(not any(same), f"{system}: uploads and counters share one file system")

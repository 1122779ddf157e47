"""What an image is made of, and the name that follows from it.

An image's tag is the hash of its context, its base, the repository folders that it copies and what it downloads; so an
unchanged image is never built again and a changed one never has an old name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from inventory import paths
from systems.shared.version import VARIABLE, version

IMAGES = Path(__file__).parent.parent
BASE = "base"
# A name without a host is somebody else's on a public registry, and is pulled from there where it is missing. This host
# can be nobody's (RFC 2606): what is not on the machine is an error, until environments have registries of their own.
REGISTRY = "asp.invalid"


class Download(BaseModel):
    """Common to all kinds of downloads: where the file goes in the context."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str


class Maven(Download):
    kind: Literal["maven"]
    artifact: str = Field(pattern=r"^[^:]+:[^:]+:[^:]+:[^:]+$", description="group:artifact:version:packaging")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Go(Download):
    """A Go command; the toolchain verifies the hash of every module that goes into it."""

    kind: Literal["go"]
    module: str
    version: str


class Wheels(Download):
    """Wheels of a lock file with hashes, for the Python of the image."""

    kind: Literal["wheels"]
    lock: str
    python: str


class Tree(Download):
    """A folder of this repository."""

    kind: Literal["tree"]
    path: str


AnyDownload = Annotated[Maven | Go | Wheels | Tree, Field(discriminator="kind")]
_DOWNLOADS = TypeAdapter(list[AnyDownload])


def names() -> list[str]:
    """Names of all images, the base first."""
    return [BASE, *sorted(path.parent.name for path in IMAGES.glob("*/Dockerfile"))]


def downloads(name: str) -> list[AnyDownload]:
    """What an image's `downloads.yaml` asks for; empty without one."""
    file = IMAGES / name / "downloads.yaml"
    return _DOWNLOADS.validate_python(yaml.safe_load(file.read_text())) if file.is_file() else []


def override_variable(name: str) -> str:
    """The variable that names another image to take instead, such as a former one: BASE_IMAGE, ASP_IMAGE_POSTGRES …"""
    return "BASE_IMAGE" if name == BASE else f"ASP_IMAGE_{name.upper()}"


def arguments(name: str) -> dict[str, str]:
    """Build arguments of an image besides its base: the suite's version, for a recipe that shows it."""
    file = IMAGES / name / "Dockerfile"
    shows = file.is_file() and f"ARG {VARIABLE}\n" in file.read_text(encoding="utf-8")
    return {VARIABLE: version()} if shows else {}


def reference(name: str) -> str:
    """`asp.invalid/<name>:<12 hex digits>` of what it is made from, or what its `override_variable` says."""
    if image := os.environ.get(override_variable(name)):
        return image
    return f"{REGISTRY}/{name}:{content(name)}"


@cache
def content(name: str) -> str:
    """The hash of all that goes into an image; where it is kept is no part of it."""
    if name not in names():
        raise ValueError(f"image {name!r}: wanted one of {', '.join(names())}")
    digest = hashlib.sha256()
    if name != BASE:
        digest.update((os.environ.get(override_variable(BASE)) or content(BASE)).encode())
    _add(digest, IMAGES / name)
    for argument in arguments(name).items():
        digest.update("=".join(argument).encode())
    for download in downloads(name):
        if isinstance(download, Tree):
            _add(digest, paths.ROOT / download.path)
        elif isinstance(download, Wheels):
            digest.update((paths.ROOT / download.lock).read_bytes())
    return digest.hexdigest()[:12]


def context_files(folder: Path) -> Iterator[Path]:
    """Files of a folder that belong to an image, sorted; Python's caches do not."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def _add(digest: hashlib._Hash, folder: Path) -> None:
    for file in context_files(folder):
        executable = bool(file.stat().st_mode & 0o100)
        data = file.read_bytes()
        digest.update(f"{file.relative_to(folder)}\0{executable}\0{len(data)}\0".encode())
        digest.update(data)

"""Build the images that are missing: `python -m stacks.images.build [--list | --remove | --sbom] [NAME…]`."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
import yaml
from docker.errors import APIError, BuildError, DockerException, ImageNotFound

from stacks.images.build import sbom
from stacks.images.build.downloads import DownloadFault, provide
from stacks.images.build.recipe import (
    BASE,
    IMAGES,
    arguments,
    context_files,
    downloads,
    names,
    override_variable,
    reference,
)

TOGETHER = 2  # one is compiled while another one's packages are fetched
LABEL = "asp.suite"  # on every image made here; `make clean` removes what carries it


def main() -> int:
    """Exit 0 when every image is there, 1 when one cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m stacks.images.build", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names())} (default: all)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="print each image's reference and whether it is there")
    instead.add_argument("--remove", action="store_true", help="remove every image that this project built here")
    instead.add_argument(
        "--sbom", action="store_true", help="write missing bills of materials of the images that are here"
    )
    parser.add_argument("--summary", type=Path, metavar="FILE", help="write what was built and what was there as JSON")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"unknown image: {', '.join(sorted(unknown))}; known: {', '.join(names())}")
    selected = options.names or names()
    try:
        client = docker.from_env(timeout=900)
        if options.list:
            for name in selected:
                print(f"{reference(name)}  {'present' if present(client, reference(name)) else 'missing'}")
            return 0
        if options.remove:
            print(f"{remove(client)} images removed")
            return 0
        if options.sbom:
            write_sboms(client, selected)
            return 0
        built = {BASE: provide_image(client, BASE)}
        with ThreadPoolExecutor(TOGETHER) as pool:
            others = [name for name in dict.fromkeys(selected) if name != BASE]
            built |= zip(others, pool.map(lambda name: provide_image(client, name), others), strict=True)
    except (DownloadFault, DockerException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    summary = {
        "built": [reference(name) for name, new in built.items() if new],
        "present": [reference(name) for name, new in built.items() if not new],
    }
    if options.summary:
        options.summary.write_text(json.dumps(summary), encoding="utf-8")
    print(f"{len(summary['built'])} built, {len(summary['present'])} present")
    return 0


def remove(client: docker.DockerClient) -> int:
    """Remove the images that carry our label, whatever they are called; how many those were."""
    ids = [image.id for image in client.images.list(filters={"label": LABEL}) if image.id]
    for image in ids:
        with contextlib.suppress(APIError):  # still in use by a container that is no longer ours
            client.images.remove(image, force=True)
    return len(ids)


def write_sboms(client: docker.DockerClient, selected: list[str]) -> None:
    """Bills of materials of images that are here; prints what was written, and which images are missing."""
    for name in selected:
        image = reference(name)
        if present(client, image):
            path = sbom.write(client, name, image)
            print(f"{image}  {path or 'written before'}")
        else:
            print(f"{image}  missing: build it first")


def present(client: docker.DockerClient, image: str) -> bool:
    try:
        client.images.get(image)
    except ImageNotFound:
        return False
    return True


def provide_image(client: docker.DockerClient, name: str) -> bool:
    """Build an image unless it is there; whether it was built."""
    image = reference(name)
    if present(client, image):
        return False
    if os.environ.get(variable := override_variable(name)):
        raise DownloadFault(f"{variable}={image}: no such image on this machine. Load it, or unset {variable}")
    print(f"{image} …", flush=True)
    started = time.monotonic()
    (_debootstrap if name == BASE else _build)(client, name, image)
    sbom.write(client, name, image)
    print(f"{image} built in {time.monotonic() - started:.0f} s", flush=True)
    return True


def _debootstrap(client: docker.DockerClient, name: str, image: str) -> None:
    recipe = yaml.safe_load((IMAGES / name / "recipe.yaml").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "base.tar"
        # Without a mirror named, mmdebstrap takes Debian's own, with the suite's updates and security fixes.
        include = f"--include={','.join(recipe['packages'])}"
        command = ["mmdebstrap", "--variant=minbase", include, recipe["suite"], str(archive)]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(recipe["source_date_epoch"])}
        process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        if process.returncode != 0:
            raise DownloadFault(
                f"{image}: mmdebstrap exited with {process.returncode}: {process.stderr.strip()[-1500:]}"
            )
        repository, _, tag = image.rpartition(":")
        with archive.open("rb") as data:
            client.api.import_image_from_data(data, repository=repository, tag=tag, changes=[f"LABEL {LABEL}={name}"])


def _build(client: docker.DockerClient, name: str, image: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        context = Path(scratch)
        for file in context_files(IMAGES / name):
            target = context / file.relative_to(IMAGES / name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        for download in downloads(name):
            provide(download, context)
        try:
            client.images.build(
                path=scratch,
                tag=image,
                buildargs={"BASE": reference(BASE), **arguments(name)},
                labels={LABEL: name},
                rm=True,
                forcerm=True,
            )
        except (BuildError, APIError) as error:
            log = "".join(line.get("stream", "") for line in getattr(error, "build_log", []))
            raise DownloadFault(f"{image}: {error}\n{log[-2000:]}") from error


if __name__ == "__main__":
    sys.exit(main())

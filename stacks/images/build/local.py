"""Images on this machine: whether they are there, built where they are not, removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import yaml
from docker.errors import APIError, BuildError, ImageNotFound

from stacks.images.build import sbom
from stacks.images.build.downloads import DownloadFault, provide
from stacks.images.build.recipe import BASE, IMAGES, arguments, context_files, downloads, override_variable, reference

LABEL = "asp.suite"  # on every image made here; `make clean` removes what carries it


def remove(client: docker.DockerClient) -> int:
    """Remove the images that carry our label, whatever they are called; how many those were."""
    ids = [image.id for image in client.images.list(filters={"label": LABEL}) if image.id]
    for image in ids:
        with contextlib.suppress(APIError):  # still in use by a container that is no longer ours
            client.images.remove(image, force=True)
    return len(ids)


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

"""`docker:index/remoteImage:RemoteImage`: an image by name, pulled when it is not there."""

from __future__ import annotations

import base64
import json

from stacks.engine.docker.base import Kind
from stacks.engine.docker.daemon import Daemon, DaemonError
from stacks.engine.errors import ProviderError
from stacks.engine.schema import boolean, mapping, nested, text, textset


class RemoteImage(Kind):
    timeouts = True
    fields = {
        "name": text(required=True, force=True),
        "build": nested({}),
        "forceRemove": boolean(),
        "keepLocally": boolean(),
        "platform": text(force=True),
        "pullTriggers": textset(force=True),
        "triggers": mapping(force=True),
        "imageId": text(output=True),
        "repoDigest": text(output=True),
    }

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        if inputs.get("build") is not None:
            return [("build", "building is not covered by the embedded engine; build the image before, or use pulumi")]
        return []

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        name = inputs["name"]
        try:
            ensure_image(daemon, name, inputs.get("platform") or "")
        except DaemonError as error:
            text = f"Unable to read Docker image into resource: {error}"
            raise DaemonError.from_text(error.status, text) from error
        return self._described(daemon, inputs)

    def _described(self, daemon: Daemon, inputs: dict) -> tuple[str, dict]:
        name = inputs["name"]
        image = daemon.find(f"/images/{name}/json")
        if image is None:
            raise ProviderError(f"Unable to read Docker image into resource: unable to find or pull image {name}")
        identity = image["Id"] + name
        return identity, {
            "build": None,
            "forceRemove": inputs.get("forceRemove"),
            "id": identity,
            "imageId": image["Id"],
            "keepLocally": inputs.get("keepLocally"),
            "name": name,
            "platform": inputs.get("platform"),
            "pullTriggers": inputs.get("pullTriggers"),
            "repoDigest": _digest(name, image),
            "triggers": inputs.get("triggers"),
        }

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        name = previous.get("name") or identity.removeprefix("sha256:")[64:]
        image = daemon.find(f"/images/{name}/json")
        if image is None:
            return None
        changed = {"id": image["Id"] + name, "imageId": image["Id"], "name": name, "repoDigest": _digest(name, image)}
        return image["Id"] + name, {**previous, **changed}

    def update(self, daemon: Daemon, identity: str, inputs: dict, outputs: dict, timeout: float | None) -> dict:
        return self._described(daemon, inputs)[1]

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        if outputs.get("keepLocally") or not outputs.get("name"):
            return
        try:
            daemon.remove(f"/images/{outputs['name']}", params={"force": bool(outputs.get("forceRemove"))})
        except DaemonError as error:
            raise DaemonError.from_text(error.status, f"Unable to remove Docker image: {error}") from error

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        image = daemon.find(f"/images/{inputs['name']}/json")
        return image and image["Id"] + inputs["name"]


def ensure_image(daemon: Daemon, name: str, platform: str = "") -> None:
    """Pull an image that is not on the daemon's host; DaemonError when it cannot be had."""
    if daemon.find(f"/images/{name}/json") is not None:
        return
    repository, tag = split_name(name)
    host = repository.partition("/")[0]
    if host.endswith(".invalid"):  # nobody's name (RFC 2606): there is no registry to ask
        raise ProviderError(
            f"image {name} is not on this machine, and {host} is no registry that it could come from. Build it "
            "(asp up, or python -m stacks.images.build, for those of this project) or load it first."
        )
    headers = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(daemon.registry_auth(name)).encode()).decode()}
    params = {"fromImage": repository, "tag": tag, **({"platform": platform} if platform else {})}
    try:
        for record in daemon.events("/images/create", params=params, headers=headers):
            if "error" in record:
                raise DaemonError(500, record["error"])
    except DaemonError as error:
        text = f"unable to pull image {name}: error pulling image {name}: {error}"
        text += ". It is not on this host either: build or load it first."
        raise DaemonError.from_text(error.status, text) from error


def split_name(name: str) -> tuple[str, str]:
    """Repository and tag (or digest) of an image name; the tag defaults to `latest`."""
    if "@" in name:
        repository, _, digest = name.partition("@")
        return repository, digest
    head, _, tail = name.rpartition("/")
    base, colon, tag = tail.partition(":")
    return (f"{head}/{base}" if head else base), (tag if colon else "latest")


def _digest(name: str, image: dict) -> str:
    repository = split_name(name)[0]
    digests = image.get("RepoDigests") or []
    for digest in digests:
        if digest.split("@")[0] == repository:
            return digest
    return digests[0] if len(digests) == 1 else ""


KIND = RemoteImage()

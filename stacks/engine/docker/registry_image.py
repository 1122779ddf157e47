"""`docker:index/registryImage:RegistryImage`: a local image pushed to a registry, and its digest there."""

from __future__ import annotations

import base64
import json

from stacks.engine.docker.base import Kind
from stacks.engine.docker.daemon import Daemon, DaemonError
from stacks.engine.docker.remote_image import split_name
from stacks.engine.schema import boolean, mapping, nested, text


class RegistryImage(Kind):
    timeouts = True
    fields = {
        "authConfig": nested(
            {"address": text(required=True), "username": text(required=True), "password": text(required=True)}
        ),
        "build": nested({}),
        "insecureSkipVerify": boolean(),
        "keepRemotely": boolean(),
        "name": text(force=True, autoname=True),
        "triggers": mapping(force=True),
        "sha256Digest": text(output=True),
    }

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        if inputs.get("build") is not None:
            return [("build", "building is not covered by the embedded engine; build the image before, or use pulumi")]
        if inputs.get("keepRemotely") is not True:
            return [("keepRemotely", "must be true: the embedded engine does not delete images from registries")]
        return []

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        name = inputs["name"]
        repository, tag = split_name(name)
        headers = registry_auth(daemon, inputs)
        for record in daemon.events(f"/images/{repository}/push", params={"tag": tag}, headers=headers):
            if "error" in record:
                raise DaemonError.from_text(500, f"Error pushing docker image: {record['error']}")
        digest = registry_digest(daemon, name, headers)
        return digest, self._outputs(inputs, digest)

    def _outputs(self, inputs: dict, digest: str) -> dict:
        return {
            "authConfig": inputs.get("authConfig"),
            "build": None,
            "id": digest,
            "insecureSkipVerify": bool(inputs.get("insecureSkipVerify")),
            "keepRemotely": bool(inputs.get("keepRemotely")),
            "name": inputs["name"],
            "sha256Digest": digest,
            "triggers": inputs.get("triggers"),
        }

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        if not previous.get("name"):
            return None
        try:
            digest = registry_digest(daemon, previous["name"], registry_auth(daemon, previous))
        except DaemonError as error:
            if error.status in (403, 404):
                return None
            raise
        return digest, {**previous, "id": digest, "sha256Digest": digest}

    def update(self, daemon: Daemon, identity: str, inputs: dict, outputs: dict, timeout: float | None) -> dict:
        return self._outputs(inputs, identity)

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        return


def registry_auth(daemon: Daemon, inputs: dict) -> dict:
    """Header with the credentials of `authConfig`, else of the provider."""
    credentials = inputs.get("authConfig")
    data = daemon.registry_auth(inputs["name"])
    if credentials:
        data = {
            "username": credentials["username"],
            "password": credentials["password"],
            "serveraddress": credentials["address"],
        }
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(data).encode()).decode()}


def registry_digest(daemon: Daemon, name: str, headers: dict) -> str:
    """Digest that the registry has for a name."""
    return daemon.get(f"/distribution/{name}/json", headers=headers)["Descriptor"]["digest"]


KIND = RegistryImage()

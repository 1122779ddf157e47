"""`docker:index/tag:Tag`: a second name for an image. Deleting it leaves the name, as the provider does."""

from __future__ import annotations

from stacks.engine.docker.base import Kind
from stacks.engine.docker.daemon import Daemon, DaemonError
from stacks.engine.docker.remote_image import split_name
from stacks.engine.schema import text, textset


class Tag(Kind):
    fields = {
        "sourceImage": text(required=True, force=True),
        "tagTriggers": textset(force=True),
        "targetImage": text(required=True, force=True),
        "sourceImageId": text(output=True),
    }

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        source, target = inputs["sourceImage"], inputs["targetImage"]
        repository, tag = split_name(target)
        try:
            daemon.post(f"/images/{source}/tag", params={"repo": repository, "tag": tag})
            image = daemon.get(f"/images/{source}/json")
        except DaemonError as error:
            raise DaemonError.from_text(error.status, f"failed to create docker tag: {error}") from error
        identity = f"{source}.{target}"
        return identity, {
            "id": identity,
            "sourceImage": source,
            "sourceImageId": image["Id"],
            "tagTriggers": inputs.get("tagTriggers"),
            "targetImage": target,
        }

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        return identity, previous

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        return


KIND = Tag()

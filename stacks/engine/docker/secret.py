"""`docker:index/secret:Secret`: a Swarm secret. Its data cannot be read back, so the recorded one stands."""

from __future__ import annotations

from stacks.engine.docker.base import Kind
from stacks.engine.docker.daemon import Daemon, find_named
from stacks.engine.schema import label_map, labels, text
from stacks.engine.valid import base64_text


class SwarmSecret(Kind):
    inspect = "/secrets/{}"
    fields = {
        "data": text(required=True, force=True, valid=base64_text),
        "labels": labels(),
        "name": text(force=True, autoname=True),
    }

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        body = {"Name": inputs["name"], "Labels": label_map(inputs.get("labels")), "Data": inputs["data"]}
        identity = daemon.post("/secrets/create", body=body)["ID"]
        return identity, {
            "data": inputs["data"],
            "id": identity,
            "labels": _plain(inputs.get("labels")),
            "name": inputs["name"],
        }

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        data = daemon.find(f"/secrets/{identity}")
        if data is None:
            return None
        return data["ID"], {"data": "", "labels": [], **previous, "id": data["ID"], "name": data["Spec"]["Name"]}

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        daemon.remove(f"/secrets/{identity}")

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        return find_named(daemon, "/secrets", inputs["name"])


def _plain(elements: list[dict] | None) -> list[dict]:
    return [{"label": item["label"], "value": item["value"]} for item in elements or []]


KIND = SwarmSecret()

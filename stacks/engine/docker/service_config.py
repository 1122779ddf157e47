"""``docker:index/serviceConfig:ServiceConfig``: a Swarm config."""

from __future__ import annotations

import base64

from ..schema import label_map, label_set, labels, text
from .base import Kind, made
from .daemon import Daemon, find_named
from .secret import base64_failure


class ServiceConfig(Kind):
    inspect = "/configs/{}"
    fields = {
        "data": text(force=True),
        "dataRaw": text(force=True),
        "labels": labels(),
        "name": text(force=True, autoname=True),
    }

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        given = [key for key in ("data", "dataRaw") if inputs.get(key) is not None]
        if len(given) != 1:
            seen = " and ".join(given) or "neither"
            return [("data", f"exactly one of data and dataRaw must be given, seen {seen}")]
        return base64_failure(inputs, "data")

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        raw = inputs.get("dataRaw")
        data = base64.b64encode(raw.encode()).decode() if raw is not None else inputs["data"]
        body = {"Name": inputs["name"], "Labels": label_map(inputs.get("labels")), "Data": data}
        identity = daemon.post("/configs/create", body=body)["ID"]
        with made(f"config {inputs['name']}"):
            return self.read(daemon, identity, {"dataRaw": raw})

    def read(self, daemon: Daemon, identity: str, known: dict) -> tuple[str, dict] | None:
        found = daemon.find(f"/configs/{identity}")
        if found is None:
            return None
        data = found["Spec"].get("Data", "")
        raw = known.get("dataRaw")
        return found["ID"], {
            "data": None if raw else data,
            "dataRaw": base64.b64decode(data).decode("utf-8", "replace") if raw else None,
            "id": found["ID"],
            "labels": label_set(found["Spec"].get("Labels")),
            "name": found["Spec"]["Name"],
        }

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        daemon.remove(f"/configs/{identity}")

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        return find_named(daemon, "/configs", inputs["name"])


KIND = ServiceConfig()

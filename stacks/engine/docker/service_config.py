"""`docker:index/serviceConfig:ServiceConfig`: a Swarm config."""

from __future__ import annotations

import base64

from stacks.engine.docker.base import Kind, after_creation
from stacks.engine.docker.daemon import Daemon, find_named
from stacks.engine.schema import label_map, label_set, labels, text
from stacks.engine.valid import base64_text


class ServiceConfig(Kind):
    inspect = "/configs/{}"
    fields = {
        "data": text(force=True, valid=base64_text),
        "dataRaw": text(force=True),
        "labels": labels(),
        "name": text(force=True, autoname=True),
    }

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        sources = [key for key in ("data", "dataRaw") if inputs.get(key) is not None]
        if len(sources) != 1:
            fault = "one of `data,data_raw` must be specified"
            if sources:
                fault = "only one of `data,data_raw` can be specified, but `data,data_raw` were specified."
            names = {"data": "data", "dataRaw": "data_raw"}
            return [(key, f'Invalid combination of arguments. "{name}": {fault}') for key, name in names.items()]
        return []

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        raw = inputs.get("dataRaw")
        data = base64.b64encode(raw.encode()).decode() if raw is not None else inputs["data"]
        body = {"Name": inputs["name"], "Labels": label_map(inputs.get("labels")), "Data": data}
        identity = daemon.post("/configs/create", body=body)["ID"]
        with after_creation(f"config {inputs['name']}"):
            return self.read_existing(daemon, identity, {"dataRaw": raw})

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        config = daemon.find(f"/configs/{identity}")
        if config is None:
            return None
        data = config["Spec"].get("Data", "")
        raw = previous.get("dataRaw")
        return config["ID"], {
            "data": None if raw else data,
            "dataRaw": base64.b64decode(data).decode("utf-8", "replace") if raw else None,
            "id": config["ID"],
            "labels": label_set(config["Spec"].get("Labels")),
            "name": config["Spec"]["Name"],
        }

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        daemon.remove(f"/configs/{identity}")

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        return find_named(daemon, "/configs", inputs["name"])


KIND = ServiceConfig()

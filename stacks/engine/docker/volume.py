"""`docker:index/volume:Volume`."""

from __future__ import annotations

from stacks.engine.docker.base import Kind, null_when_absent
from stacks.engine.docker.daemon import Daemon, DaemonError
from stacks.engine.errors import UnsupportedError
from stacks.engine.schema import label_map, label_set, labels, mapping, nested, text

REMOVE_LIMIT = 30.0  # seconds for the last container to go, as the provider allows


class Volume(Kind):
    fields = {
        "name": text(force=True, computed=True, autoname=True),
        "cluster": nested(
            {
                key: text(force=key != "availability")
                for key in (
                    "availability",
                    "group",
                    "id",
                    "limitBytes",
                    "requiredBytes",
                    "scope",
                    "sharing",
                    "topologyPreferred",
                    "topologyRequired",
                    "type",
                )
            }
        ),
        "driver": text(force=True, computed=True),
        "driverOpts": mapping(force=True),
        "labels": labels(),
        "mountpoint": text(output=True),
    }

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        if inputs.get("cluster") is not None:
            return [("cluster", "cluster volumes need API 1.42 and the pulumi CLI; remove the block")]
        return []

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        body = {"Name": inputs["name"], "Labels": label_map(inputs.get("labels"))}
        if inputs.get("driver"):
            body["Driver"] = inputs["driver"]
        if inputs.get("driverOpts"):
            body["DriverOpts"] = inputs["driverOpts"]
        try:
            data = daemon.post("/volumes/create", body=body)
        except DaemonError as error:
            raise DaemonError.from_text(error.status, f"Unable to create volume: {error}") from error
        # The daemon's own driver answers with all that an inspection would say; a plugin may name no place yet.
        whole = data.get("Driver") == "local"
        identity, outputs = _state(data) if whole else self.read_existing(daemon, data["Name"], {})
        if not outputs["driverOpts"]:
            outputs["driverOpts"] = None
        return identity, null_when_absent(outputs, inputs, ("driverOpts",))

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        data = daemon.find(f"/volumes/{identity}")
        if data is None:
            return None
        if data.get("ClusterVolume"):
            raise UnsupportedError(f"volume {identity} is a cluster volume; use the pulumi CLI for it")
        return _state(data)

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        daemon.remove_when_free(f"/volumes/{identity}", ("volume is in use",), timeout or REMOVE_LIMIT)

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        data = daemon.find(f"/volumes/{inputs['name']}")
        return data and data["Name"]


def _state(data: dict) -> tuple[str, dict]:
    """Id and outputs of a volume as the daemon describes it."""
    return data["Name"], {
        "cluster": None,
        "driver": data["Driver"],
        "driverOpts": data.get("Options") or {},
        "id": data["Name"],
        "labels": label_set(data.get("Labels")),
        "mountpoint": data["Mountpoint"],
        "name": data["Name"],
    }


KIND = Volume()

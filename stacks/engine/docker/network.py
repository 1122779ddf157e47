"""`docker:index/network:Network`."""

from __future__ import annotations

from stacks.engine.docker.base import Kind, after_creation, null_when_absent
from stacks.engine.docker.daemon import Daemon, DaemonError, filters, wait_until
from stacks.engine.schema import as_set, boolean, label_map, label_set, labels, mapping, nested_set, text

ALLOCATE_LIMIT = 30.0  # seconds for Swarm to give a new overlay network its driver and addresses
REMOVE_LIMIT = 30.0  # seconds for endpoints to go, as the provider allows


class Network(Kind):
    inspect = "/networks/{}"
    fields = {
        "name": text(force=True, autoname=True),
        "attachable": boolean(force=True),
        "driver": text(force=True, computed=True),
        "ingress": boolean(force=True),
        "internal": boolean(force=True, computed=True),
        "ipamConfigs": nested_set(
            {
                "auxAddress": mapping(force=True),
                "gateway": text(force=True),
                "ipRange": text(force=True),
                "subnet": text(force=True),
            },
            force=True,
            computed=True,
        ),
        "ipamDriver": text(force=True, default="default"),
        "ipamOptions": mapping(force=True),
        "ipv6": boolean(force=True),
        "labels": labels(),
        "options": mapping(force=True, computed=True),
        "scope": text(output=True),
    }

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        body = {
            "Name": inputs["name"],
            "CheckDuplicate": True,
            "Labels": label_map(inputs.get("labels")),
            "Attachable": bool(inputs.get("attachable")),
            "Internal": bool(inputs.get("internal")),
            "Ingress": bool(inputs.get("ingress")),
            "EnableIPv6": bool(inputs.get("ipv6")),
            "IPAM": {
                "Driver": inputs.get("ipamDriver") or "default",
                "Options": inputs.get("ipamOptions") or {},
                "Config": [_config(item) for item in inputs.get("ipamConfigs") or []],
            },
        }
        if inputs.get("driver"):
            body["Driver"] = inputs["driver"]
        if inputs.get("options"):
            body["Options"] = inputs["options"]
        try:
            identity = daemon.post("/networks/create", body=body)["Id"]
        except DaemonError as error:
            raise DaemonError.from_text(error.status, f"Unable to create network: {error}") from error
        with after_creation(f"network {inputs['name']}"):
            # Swarm answers before its allocator has run; what is read until then has no driver and no addresses.
            wait_until(lambda: (daemon.find(f"/networks/{identity}") or {}).get("Driver"), ALLOCATE_LIMIT)
            _, outputs = self.read_existing(daemon, identity, {})
        outputs = null_when_absent(outputs, inputs, ("ipamOptions",))
        for config in outputs["ipamConfigs"] if inputs.get("ipamConfigs") else ():
            config["auxAddress"] = config["auxAddress"] or None
        return identity, outputs

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        data = daemon.find(f"/networks/{identity}")
        if data is None:
            return None
        ipam = data.get("IPAM") or {}
        configs = [
            {
                "auxAddress": item.get("AuxiliaryAddresses") or {},
                "gateway": item.get("Gateway", ""),
                "ipRange": item.get("IPRange", ""),
                "subnet": item.get("Subnet", ""),
            }
            for item in ipam.get("Config") or []
        ]
        return data["Id"], {
            "attachable": data["Attachable"],
            "driver": data["Driver"],
            "id": data["Id"],
            "ingress": data["Ingress"],
            "internal": data["Internal"],
            "ipamConfigs": as_set(configs),
            "ipamDriver": ipam.get("Driver", ""),
            "ipamOptions": ipam.get("Options") or {},
            "ipv6": data["EnableIPv6"],
            "labels": label_set(data.get("Labels")),
            "name": data["Name"],
            "options": data.get("Options") or {},
            "scope": data["Scope"],
        }

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        busy, path = ("has active endpoints", "is in use by"), f"/networks/{identity}"
        daemon.remove_when_free(path, busy, timeout or REMOVE_LIMIT)
        # Swarm answers before its node has let go of an overlay: until then the name is listed, and taken.
        if not wait_until(lambda: daemon.find(path) is None, timeout or REMOVE_LIMIT):
            raise DaemonError(409, f"network {outputs['name']} was removed and is still there")

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        for item in daemon.get("/networks", params=filters(name=inputs["name"])):
            if item["Name"] == inputs["name"]:
                return item["Id"]
        return None


def _config(item: dict) -> dict:
    config = {"Subnet": item.get("subnet"), "IPRange": item.get("ipRange"), "Gateway": item.get("gateway")}
    config["AuxiliaryAddresses"] = item.get("auxAddress")
    return {key: value for key, value in config.items() if value}


KIND = Network()

"""``docker:index/get*`` functions."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ProviderError
from .daemon import Daemon


def get_network(daemon: Daemon, args: dict) -> dict:
    """A network by name."""
    data = daemon.find(f"/networks/{args['name']}")
    if data is None:
        raise ProviderError(f"Could not find docker network: network {args['name']} not found")
    ipam = data.get("IPAM") or {}
    return {
        "driver": data["Driver"],
        "id": data["Id"],
        "internal": data["Internal"],
        "ipamConfigs": [
            {
                "auxAddress": item.get("AuxiliaryAddresses") or {},
                "gateway": item.get("Gateway", ""),
                "ipRange": item.get("IPRange", ""),
                "subnet": item.get("Subnet", ""),
            }
            for item in ipam.get("Config") or []
        ],
        "name": data["Name"],
        "options": data.get("Options") or {},
        "scope": data["Scope"],
    }


def get_remote_image(daemon: Daemon, args: dict) -> dict:
    """A local image by name."""
    image = daemon.find(f"/images/{args['name']}/json")
    if image is None:
        raise ProviderError(f"did not find docker image '{args['name']}' on this host; build or load it first")
    digests = image.get("RepoDigests") or []
    return {
        "id": image["Id"], "name": args["name"], "repoDigest": digests[0] if digests else "",
    }


FUNCTIONS: dict[str, Callable[[Daemon, dict], dict]] = {
    "docker:index/getNetwork:getNetwork": get_network,
    "docker:index/getRemoteImage:getRemoteImage": get_remote_image,
}

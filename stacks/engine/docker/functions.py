"""`docker:index/get*` functions."""

from __future__ import annotations

from collections.abc import Callable

from stacks.engine.docker.daemon import Daemon, DaemonError
from stacks.engine.docker.registry_image import registry_auth, registry_digest
from stacks.engine.docker.service_converge import unframe
from stacks.engine.errors import ProviderError


def get_network(daemon: Daemon, args: dict) -> dict:
    """A network by name."""
    try:
        data = daemon.get(f"/networks/{args['name']}")
    except DaemonError as error:
        raise ProviderError(f"Could not find docker network: {error}") from error
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
        "id": image["Id"],
        "name": args["name"],
        "repoDigest": digests[0] if digests else "",
    }


def get_registry_image(daemon: Daemon, args: dict) -> dict:
    """Digest of an image in its registry, asked by way of the daemon."""
    try:
        digest = registry_digest(daemon, args["name"], registry_auth(daemon, args))
    except DaemonError as error:
        text = f"Got error when attempting to fetch image {args['name']} from registry: {error}"
        raise ProviderError(text) from error
    return {
        "authConfig": args.get("authConfig"),
        "id": digest,
        "insecureSkipVerify": args.get("insecureSkipVerify"),
        "name": args["name"],
        "sha256Digest": digest,
    }


def get_logs(daemon: Daemon, args: dict) -> dict:
    """A container's output as a list of lines. Following is refused: it would never end."""
    if args.get("follow"):
        raise ProviderError("getLogs with follow never ends; leave follow out")
    params = {
        "stdout": args.get("showStdout", True),
        "stderr": args.get("showStderr", True),
        "timestamps": bool(args.get("timestamps")),
        "details": bool(args.get("details")),
        "tail": args.get("tail", "all"),
    }
    params.update({key: args[key] for key in ("since", "until") if args.get(key)})
    raw = daemon.request("GET", f"/containers/{args['name']}/logs", params=params, stream=True).content
    text = unframe(raw) if args.get("discardHeaders", True) else raw
    lines = text.decode("utf-8", "replace").splitlines() if args.get("logsListStringEnabled", True) else []
    return {**args, "id": args["name"], "logsListStrings": lines}


FUNCTIONS: dict[str, Callable[[Daemon, dict], dict]] = {
    "docker:index/getLogs:getLogs": get_logs,
    "docker:index/getRegistryImage:getRegistryImage": get_registry_image,
    "docker:index/getNetwork:getNetwork": get_network,
    "docker:index/getRemoteImage:getRemoteImage": get_remote_image,
}

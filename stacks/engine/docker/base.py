"""What a Docker resource type must offer, and the registry of types."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator

from stacks.engine.docker.daemon import Daemon
from stacks.engine.errors import ConnectionLost, ProviderError, Unfinished, UnsupportedError
from stacks.engine.schema import Field

# type token -> module; imported when first used, so that a run loads only what it needs
MODULES = {
    "docker:index/network:Network": "network",
    "docker:index/volume:Volume": "volume",
    "docker:index/remoteImage:RemoteImage": "remote_image",
    "docker:index/service:Service": "service",
    "docker:index/secret:Secret": "secret",
    "docker:index/serviceConfig:ServiceConfig": "service_config",
    "docker:index/container:Container": "container",
    "docker:index/tag:Tag": "tag",
    "docker:index/registryImage:RegistryImage": "registry_image",
}


PROVIDER = "pulumi:providers:docker"
PROVIDER_SETTINGS = {
    "host",
    "certPath",
    "caMaterial",
    "certMaterial",
    "keyMaterial",
    "registryAuth",
    "sshOpts",
    "version",
    "disableDockerDaemonCheck",
    "pluginDownloadURL",
    "__internal",
    "__defaults",
}


def provider_failures(token: str, inputs: dict) -> list[tuple[str, str]]:
    """Settings of a `docker.Provider` that would be ignored otherwise: `(path, reason)`."""
    unknown = sorted(set(inputs) - PROVIDER_SETTINGS) if token == PROVIDER else []
    return [(key, "is not covered by the embedded engine; give host, or use the pulumi CLI") for key in unknown]


class Kind:
    """One resource type. Inputs and outputs are plain values (secrets revealed)."""

    fields: dict[str, Field] = {}
    inspect = ""  # API path of an object, with {} for its id
    timeouts = False  # whether the program's own time limits count
    adoptable = True  # whether an object that an interrupted creation left is whole; otherwise it is removed

    def changeable(self) -> bool:
        """Whether the type can be changed in place at all."""
        return type(self).update is not Kind.update

    def validate(self, inputs: dict) -> list[tuple[str, str]]:
        """Failures that need more than one field to see: `(path, reason)`. Inputs may hold unknowns."""
        return []

    def create(self, daemon: Daemon, inputs: dict, timeout: float | None) -> tuple[str, dict]:
        """Make the object; returns its id and outputs. `timeout`: the program's custom timeout in seconds."""
        raise NotImplementedError

    def read(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict] | None:
        """Id and outputs as the daemon has them now, None when the object is gone. `previous`: recorded outputs."""
        raise NotImplementedError

    def read_existing(self, daemon: Daemon, identity: str, previous: dict) -> tuple[str, dict]:
        """As `read`, of an object that was there a moment ago; ProviderError when it is gone."""
        answer = self.read(daemon, identity, previous)
        if answer is None:
            raise ProviderError(f"object {identity} is gone right after it was made")
        return answer

    def update(self, daemon: Daemon, identity: str, inputs: dict, outputs: dict, timeout: float | None) -> dict:
        """Change the object in place; returns its outputs."""
        raise NotImplementedError

    def delete(self, daemon: Daemon, identity: str, outputs: dict, timeout: float | None) -> None:
        """Remove the object; an object that is gone already is no error."""
        raise NotImplementedError

    def find(self, daemon: Daemon, inputs: dict) -> str | None:
        """Id of an object that an interrupted creation with these inputs left behind, None when there is none."""
        return None


def conflict(path: str, name: str, other: str) -> tuple[str, str]:
    """Failure of a property that another one excludes; `name` and `other` are the provider's own names."""
    return path, f'Conflicting configuration arguments. "{name}": conflicts with {other}'


def go_duration(seconds: float) -> str:
    """A duration as Go prints it (`1m30s`, `2m0s`)."""
    text = short_duration(round(seconds * 1e9))
    if text.endswith("h"):
        return text + "0m0s"
    return text + "0s" if text.endswith("m") else text


_loaded: dict[str, Kind] = {}


def kind_of(token: str) -> Kind:
    """The implementation of a type token; UnsupportedError naming it and what is covered."""
    if token not in _loaded:
        module = MODULES.get(token)
        if module is None:
            raise UnsupportedError(
                f"resource type {token!r} is not covered by the embedded engine (covered: "
                f"{', '.join(sorted(MODULES))}). Use the pulumi CLI with this stack: PULUMI=pulumi."
            )
        _loaded[token] = importlib.import_module(f".{module}", __package__).KIND
    return _loaded[token]


@contextlib.contextmanager
def after_creation(label: str) -> Iterator[None]:
    """What follows the making of an object: a failure in it says that the object is there (`Unfinished`)."""
    try:
        yield
    except (ConnectionLost, Unfinished):
        raise
    except ProviderError as error:
        raise Unfinished(
            f"{label} is made, but it cannot be completed: {error}. The next run takes it over."
        ) from error


def null_when_absent(outputs: dict, inputs: dict, keys: tuple[str, ...]) -> dict:
    """Outputs of a creation: an empty collection that the inputs do not have is recorded as null."""
    for key in keys:
        if not outputs.get(key) and inputs.get(key) is None:
            outputs[key] = None
    return outputs


def short_duration(nanoseconds: int) -> str:
    """A Go duration with trailing `0s` and `0m` cut, as the provider records durations."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if rest >= size:
                return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, rest = divmod(rest, 60 * 1_000_000_000)
    hours, minutes = divmod(minutes, 60)
    result = sign + (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "")
    if rest or not (hours or minutes):
        return result + f"{_decimal(rest, 1_000_000_000)}s"
    return result.removesuffix("0m") if hours else result


def _decimal(value: int, size: int) -> str:
    whole, part = divmod(value, size)
    digits = str(part).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)

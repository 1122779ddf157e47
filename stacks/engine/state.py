"""The checkpoint (deployment version 3) and its resource records, as Pulumi's file backend keeps them."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from types import NoneType
from typing import Any

from stacks.engine import urn as urns
from stacks.engine.errors import StateError
from stacks.engine.values import from_state, to_state

VERSION = 3
ENGINE_VERSION = "v3.260.0"

# checkpoint key -> attribute of Resource; the order is the CLI's
_KEYS = {
    "urn": "urn",
    "custom": "custom",
    "delete": "delete",
    "id": "id",
    "type": "type",
    "inputs": "inputs",
    "outputs": "outputs",
    "parent": "parent",
    "protect": "protect",
    "external": "external",
    "dependencies": "dependencies",
    "initErrors": "init_errors",
    "provider": "provider",
    "propertyDependencies": "property_dependencies",
    "pendingReplacement": "pending_replacement",
    "additionalSecretOutputs": "additional_secret_outputs",
    "aliases": "aliases",
    "customTimeouts": "custom_timeouts",
    "importID": "import_id",
    "retainOnDelete": "retain_on_delete",
    "deletedWith": "deleted_with",
    "created": "created",
    "modified": "modified",
    "ignoreChanges": "ignore_changes",
    "replaceOnChanges": "replace_on_changes",
}


def now() -> str:
    """Time stamp of the checkpoint, UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass
class Resource:
    """One resource of a checkpoint. `inputs` and `outputs` are in the Python form of `values`."""

    urn: str
    type: str
    custom: bool = False
    id: str = ""
    inputs: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    init_errors: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict = field(default_factory=dict)
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    delete: bool = False
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    extra: dict = field(default_factory=dict)  # keys of newer CLI versions, carried through unread

    def copy(self, **changes: Any) -> Resource:
        """A shallow copy with `changes`."""
        return replace(self, **changes)

    def links(self) -> list[str]:
        """URNs that must exist as long as this resource does."""
        urns_needed = [self.parent, self.deleted_with, self.provider.rsplit("::", 1)[0], *self.dependencies]
        for needed in self.property_dependencies.values():
            urns_needed += needed
        return list(filter(None, dict.fromkeys(urns_needed)))

    def renamed(self, aliases: dict[str, str]) -> Resource:
        """A copy that refers to resources by their new URNs."""
        if not aliases or not any(link in aliases for link in self.links()):
            return self
        provider, _, provider_id = self.provider.rpartition("::")
        return self.copy(
            parent=aliases.get(self.parent, self.parent),
            deleted_with=aliases.get(self.deleted_with, self.deleted_with),
            provider=f"{aliases.get(provider, provider)}::{provider_id}" if self.provider else "",
            dependencies=[aliases.get(urn, urn) for urn in self.dependencies],
            property_dependencies={
                key: [aliases.get(urn, urn) for urn in needed] for key, needed in self.property_dependencies.items()
            },
        )

    def known_as(self, urn: str) -> Resource:
        """A copy under another URN, and of that URN's type."""
        return self if urn == self.urn else self.copy(urn=urn, type=urns.type_of(urn))

    def to_json(self, sealer: Callable[[str], str] | None) -> dict:
        """The checkpoint's record. `sealer` None shows secrets in plain text."""
        record = {}
        for key, attribute in _KEYS.items():
            value = getattr(self, attribute)
            if key in ("inputs", "outputs"):
                value = to_state(value, sealer)
            if value or key in ("urn", "custom"):
                record[key] = value
        return {**record, **self.extra}

    @classmethod
    def from_json(cls, record: dict, opener: Callable[[str], str]) -> Resource:
        """Inverse of `to_json`. StateError on a record without URN or type, or with a field of a wrong type."""
        if not isinstance(record, dict) or not record.get("urn") or not record.get("type"):
            raise StateError(f"a resource record has no urn or type: {str(record)[:120]}")
        for key, attribute in _KEYS.items():
            if not isinstance(record.get(key), (_TYPES[attribute], NoneType)):
                problem = f"{key} is {str(record[key])[:60]!r}, wanted a {_TYPES[attribute].__name__}"
                raise StateError(f"the record of {record['urn']} is damaged: {problem}")
        if str(record["urn"]).count("::") < 3:
            raise StateError(f"a resource record has urn {record['urn']!r}, wanted urn:pulumi:<stack>::<project>::…")
        attributes = {}
        extra = {}
        for key, value in record.items():
            if key not in _KEYS:
                extra[key] = value
            elif key in ("inputs", "outputs"):
                attributes[key] = from_state(value or {}, opener)
            elif value is not None:
                attributes[_KEYS[key]] = value
        return cls(**attributes, extra=extra)


_TYPES = {item.name: {"s": str, "b": bool, "d": dict, "l": list}[item.type[0]] for item in fields(Resource)}


@dataclass
class Snapshot:
    """A stack's resources, in an order in which each comes after those it needs."""

    resources: list[Resource] = field(default_factory=list)
    pending: list[dict] = field(default_factory=list)  # raw pending operations of the CLI
    salt: str = ""
    metadata: dict = field(default_factory=dict)

    def deployment(self, sealer: Callable[[str], str] | None) -> dict:
        """The `deployment` object of an export, also `latest` of a checkpoint."""
        stamp = now()
        magic = hashlib.sha256(ENGINE_VERSION.encode()).hexdigest()  # of the version: the CLI refuses any other
        result: dict[str, Any] = {"manifest": {"time": stamp, "magic": magic, "version": ENGINE_VERSION}}
        if self.salt:
            result["secrets_providers"] = {"type": "passphrase", "state": {"salt": self.salt}}
        if self.resources:
            result["resources"] = [item.to_json(sealer) for item in self.resources]
        if self.pending:
            result["pending_operations"] = self.pending
        result["metadata"] = self.metadata
        return result

    @classmethod
    def from_deployment(cls, deployment: dict | None, opener: Callable[[str], str]) -> Snapshot:
        """Inverse of `deployment`; StateError when a resource refers to one that is not there before it."""
        if not deployment:
            return cls()
        if not isinstance(deployment, dict) or not isinstance(deployment.get("resources") or [], list):
            raise StateError(f"the deployment is no mapping with a list of resources: {str(deployment)[:120]}")
        snapshot = cls(
            resources=[Resource.from_json(item, opener) for item in deployment.get("resources") or []],
            pending=deployment.get("pending_operations") or [],
            salt=salt_of(deployment),
            metadata=deployment.get("metadata") or {},
        )
        snapshot.verify()
        return snapshot

    def verify(self) -> None:
        """Check that every reference points to an earlier resource; StateError names both otherwise."""
        earlier = set()
        for item in self.resources:
            for link in item.links():
                if link not in earlier and not item.delete and link != item.deleted_with:
                    raise StateError(
                        f"the checkpoint is not consistent: {item.urn} refers to {link}, which does not come before "
                        "it. Restore the .bak file beside the checkpoint, or repair it by stack export and import."
                    )
            earlier.add(item.urn)


def salt_of(deployment: dict) -> str:
    """Salt of a deployment's passphrase provider, `""` when it has none; StateError on another provider."""
    provider = deployment.get("secrets_providers") or {}
    kind = provider.get("type", "passphrase")
    if kind != "passphrase":
        raise StateError(f"secrets provider {kind!r} is not supported, only 'passphrase'; use the pulumi CLI")
    return (provider.get("state") or {}).get("salt", "")


def parse_checkpoint(text: str, place: str) -> dict:
    """The checkpoint object of a file's text; StateError naming `place` when it is damaged or of another version."""
    try:
        data = json.loads(text)
    except ValueError as cause:
        raise StateError(
            f"checkpoint {place} is corrupt: {cause}. Nothing was touched; restore {place}.bak or import an export."
        ) from cause
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(data.get("checkpoint"), dict):
        version = data.get("version") if isinstance(data, dict) else type(data).__name__
        raise StateError(f"checkpoint {place} has version {version!r}, wanted {VERSION}; nothing was touched")
    if not isinstance(data["checkpoint"].get("latest") or {}, dict):
        raise StateError(f"checkpoint {place} is corrupt: latest is no mapping. Nothing was touched; restore the .bak")
    return data["checkpoint"]

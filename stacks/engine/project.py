"""Project files: `Pulumi.yaml` and the stack's `Pulumi.<stack>.yaml` with its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from stacks.engine.errors import EngineError, UsageError
from stacks.engine.files import write_file
from stacks.engine.secrets import Crypter, passphrase_from_environment

ORGANIZATION = "organization"  # the file backend has one organization, of this name


class Project:
    """A folder with a `Pulumi.yaml`. `name`, `main` (absolute path of the program) and `backend` URL."""

    def __init__(self, folder: Path):
        self.folder = folder
        data = load_yaml(folder / "Pulumi.yaml")
        self.name = data.get("name") or ""
        if not self.name:
            raise UsageError(f"{folder}/Pulumi.yaml has no 'name'; add one")
        runtime = data.get("runtime")
        runtime = runtime.get("name") if isinstance(runtime, dict) else runtime
        if runtime != "python":
            raise UsageError(f"{folder}/Pulumi.yaml: runtime is {runtime!r}, the embedded engine runs only 'python'")
        self.program = (folder / (data.get("main") or ".")).resolve()
        self.backend = (data.get("backend") or {}).get("url", "")
        self.config_folder = folder / (data.get("stackConfigDir") or data.get("config_dir") or ".")
        self.default_config = data.get("config") or {}

    @classmethod
    def find(cls, start: Path) -> Project:
        """The project of `start` or of the nearest folder above it; UsageError when there is none."""
        start = start.resolve()
        if not start.is_dir():
            raise UsageError(f"{start} is not a folder; pass the project's folder with -C")
        for folder in (start, *start.parents):
            if (folder / "Pulumi.yaml").is_file():
                return cls(folder)
        raise UsageError(f"no Pulumi.yaml project file found in {start} or above it; pass the project's folder with -C")


class StackConfig:
    """The `Pulumi.<stack>.yaml` of one stack."""

    def __init__(self, project: Project, stack: str):
        self.project = project
        self.path = project.config_folder / f"Pulumi.{stack}.yaml"
        self.data = load_yaml(self.path) if self.path.exists() else {}
        if not isinstance(self.values, dict):
            raise UsageError(f"{self.path}: config is {self.values!r}, wanted a mapping of keys to values")

    @property
    def values(self) -> dict[str, Any]:
        """Configuration as written: full keys, secrets as `{"secure": ciphertext}`."""
        return self.data.get("config") or {}

    @property
    def salt(self) -> str:
        """The `encryptionsalt`, `""` when the stack has none yet."""
        return self.data.get("encryptionsalt") or ""

    def key(self, name: str) -> str:
        """Full key of a possibly short one."""
        return name if ":" in name else f"{self.project.name}:{name}"

    def crypter(self, fallback_salt: str = "") -> Crypter | None:
        """The stack's crypter, None when it has no salt yet (see `ensure_crypter`)."""
        salt = self.salt or fallback_salt
        return Crypter(salt, passphrase_from_environment()) if salt else None

    def ensure_crypter(self, fallback_salt: str = "") -> Crypter:
        """The stack's crypter; a stack without salt gets one, written to its file."""
        existing = self.crypter(fallback_salt)
        if existing is not None:
            if not self.salt:
                self.data = {"encryptionsalt": existing.state, **self.data}
                self.save()
            return existing
        fresh = Crypter.fresh(passphrase_from_environment())
        self.data = {"encryptionsalt": fresh.state, **self.data}
        self.save()
        return fresh

    def resolved(self, crypter: Crypter | None) -> tuple[dict[str, str], list[str]]:
        """Configuration as the SDK wants it: `(full key -> text or JSON, keys that are secret)`."""
        merged = {self.key(name): _default(value) for name, value in self.project.default_config.items()}
        merged = {key: value for key, value in merged.items() if value is not None}
        merged.update({self.key(name): value for name, value in self.values.items()})
        result, secret_keys = {}, []
        for key, value in merged.items():
            result[key], is_secret = _resolve(value, crypter, key)
            if is_secret:
                secret_keys.append(key)
        return result, secret_keys

    def save(self) -> None:
        """Write the file, whole or not at all."""
        write_file(self.path, dump_yaml(self.data))


def _default(value: Any) -> Any:
    return (
        value.get("value", value.get("default"))
        if isinstance(value, dict) and ("value" in value or "default" in value or "type" in value)
        else value
    )


def _resolve(value: Any, crypter: Crypter | None, key: str) -> tuple[str, bool]:
    plain, is_secret = _open(value, crypter, key)
    if isinstance(plain, bool):
        return ("true" if plain else "false"), is_secret
    if isinstance(plain, (dict, list)):
        return json.dumps(plain, separators=(",", ":")), is_secret
    return ("" if plain is None else str(plain)), is_secret


def _open(value: Any, crypter: Crypter | None, key: str) -> tuple[Any, bool]:
    if isinstance(value, dict) and set(value) == {"secure"}:
        if crypter is None:
            raise EngineError(f"config {key} is encrypted but the stack's file has no encryptionsalt; restore it")
        return crypter.open(value["secure"]), True
    if isinstance(value, dict):
        opened = {name: _open(item, crypter, key) for name, item in value.items()}
        return {name: item for name, (item, _) in opened.items()}, any(flag for _, flag in opened.values())
    if isinstance(value, list):
        opened_list = [_open(item, crypter, key) for item in value]
        return [item for item, _ in opened_list], any(flag for _, flag in opened_list)
    return value, False


def load_yaml(path: Path) -> dict:
    """A YAML file's mapping; UsageError naming the file on damage."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except OSError as cause:
        raise UsageError(f"cannot read {path}: {cause.strerror}") from cause
    except yaml.YAMLError as cause:
        raise UsageError(f"{path} is not valid YAML: {' '.join(str(cause).split())}") from cause
    if data is not None and not isinstance(data, dict):
        raise UsageError(f"{path} holds a {type(data).__name__}, wanted a mapping")
    return data or {}


def dump_yaml(data: dict) -> str:
    """YAML text in the order given."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=False)

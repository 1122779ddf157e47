"""config set, get, rm and the listing."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from stacks.engine.errors import EngineError, UsageError
from stacks.engine.goal import is_path, path_keys
from stacks.engine.project import StackConfig
from stacks.engine.secrets import Crypter
from stacks.engine.workspace import Workspace


def run(args: argparse.Namespace) -> int:
    """Carry out one of the commands. A stack's configuration can be set before the stack exists."""
    workspace = Workspace(args)
    target = StackConfig(workspace.project, workspace.stack_name())
    return {None: _list, "set": _set, "get": _get, "rm": _remove}[args.config_verb](args, target)


def _list(args: argparse.Namespace, target: StackConfig) -> int:
    has_secrets = "secure" in json.dumps(target.values)
    crypter = target.crypter() if has_secrets and args.show_secrets else None
    rows = {}
    for key, value in sorted(target.values.items()):
        plain = _decrypt(value, crypter)
        rows[target.key(key)] = plain if isinstance(plain, str) else json.dumps(plain)
    if args.json:
        table = {key: {"value": value, "secret": value == "[secret]"} for key, value in rows.items()}
        print(json.dumps(table, indent=2))
        return 0
    print(f"{'KEY':<32}VALUE")
    for key, value in rows.items():
        print(f"{key.removeprefix(target.project.name + ':'):<32}{value}")
    return 0


def _decrypt(value: Any, crypter: Crypter | None) -> Any:
    if isinstance(value, dict) and set(value) == {"secure"}:
        return crypter.open(value["secure"]) if crypter else "[secret]"
    if isinstance(value, dict):
        return {key: _decrypt(item, crypter) for key, item in value.items()}
    if isinstance(value, list):
        return [_decrypt(item, crypter) for item in value]
    return value


def _split(name: str, as_path: bool, target: StackConfig) -> tuple[str, list]:
    if not as_path:
        return target.key(name), []
    namespace, colon, rest = name.rpartition(":")
    keys = path_keys(rest)
    if not keys or not is_path(rest):
        raise UsageError(f"{name!r} is no config path; wanted one like cells[0].name")
    return (f"{namespace}:{keys[0]}" if colon else target.key(str(keys[0]))), keys[1:]


def _set(args: argparse.Namespace, target: StackConfig) -> int:
    text = args.value if args.value is not None else sys.stdin.read().rstrip("\n")
    value: Any = text
    if args.secret:
        value = {"secure": target.ensure_crypter().seal(text)}
    elif args.type or args.path:
        value = _parse(text, args.type)
    _store(target, args.key, args.path, value)
    return 0


def set_value(target: StackConfig, key: str, text: str, is_path: bool) -> None:
    """Set one plain value and save the file; UsageError when the key is no path but should be."""
    _store(target, key, is_path, _parse(text, "") if is_path else text)


def _store(target: StackConfig, name: str, is_path: bool, value: Any) -> None:
    key, path = _split(name, is_path, target)
    values = target.data.setdefault("config", {})
    values[key] = _with_value_at(values.get(key), path, value, name) if path else value
    target.save()


def _parse(text: str, kind: str) -> Any:
    try:
        if kind == "bool" or (not kind and text in ("true", "false")):
            return {"true": True, "false": False}[text]
        if kind == "int" or (not kind and text.lstrip("-").isdigit() and (text == "0" or text.lstrip("-")[0] != "0")):
            return int(text)
        if kind == "float":
            return float(text)
    except (KeyError, ValueError) as cause:
        raise UsageError(f"value {text!r} is no {kind}") from cause
    return text


def _with_value_at(current: Any, path: list, value: Any, name: str) -> Any:
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(key, int):
        items = list(current) if isinstance(current, list) else []
        if key > len(items):
            raise UsageError(f"config path {name!r}: index {key} is beyond the end ({len(items)})")
        items[key : key + 1] = [_with_value_at(items[key] if key < len(items) else None, rest, value, name)]
        return items
    if current is not None and not isinstance(current, dict):
        raise UsageError(f"config path {name!r}: {key!r} lies in a {type(current).__name__}, wanted a mapping")
    result = dict(current or {})
    result[key] = _with_value_at(result.get(key), rest, value, name)
    return result


def _get(args: argparse.Namespace, target: StackConfig) -> int:
    key, path = _split(args.key, args.path, target)
    values = {target.key(name): value for name, value in target.values.items()}
    value: Any = values.get(key)
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
    if value is None:
        raise EngineError(f"configuration key '{args.key}' not found for stack file {target.path.name}")
    crypter = target.crypter() if "secure" in json.dumps(value) else None
    plain = _decrypt(value, crypter)
    if args.json:
        print(json.dumps({"value": plain, "secret": crypter is not None}, indent=2))
    elif isinstance(plain, bool):
        print("true" if plain else "false")
    else:
        print(plain if isinstance(plain, str) else json.dumps(plain))
    return 0


def _remove(args: argparse.Namespace, target: StackConfig) -> int:
    key, path = _split(args.key, args.path, target)
    values = target.data.get("config") or {}
    entry = next((name for name in values if target.key(name) == key), None)
    if entry is None:
        return 0
    if not path:
        values.pop(entry)
    else:
        holder: Any = values[entry]
        for part in path[:-1]:
            holder = holder[part] if isinstance(holder, (dict, list)) and part in _places(holder) else None
        if isinstance(holder, (dict, list)) and path[-1] in _places(holder):
            del holder[path[-1]]
    target.save()
    return 0


def _places(holder: dict | list) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))

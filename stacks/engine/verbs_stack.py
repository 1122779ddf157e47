"""stack, state and cancel as commands."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from stacks.engine import urn as urns
from stacks.engine.backend import runs_here, user_of
from stacks.engine.errors import EngineError, StateError, UsageError
from stacks.engine.files import write_file
from stacks.engine.project import StackConfig
from stacks.engine.stack import Stack
from stacks.engine.state import Resource, Snapshot, salt_of
from stacks.engine.values import mask, reveal
from stacks.engine.workspace import Workspace, confirm


def run(args: argparse.Namespace) -> int:
    """Carry out one of the commands."""
    workspace = Workspace(args)
    if args.verb == "cancel":
        return _cancel(args, workspace)
    if args.verb == "state":
        return {"unprotect": _unprotect, "delete": _forget}[args.state_verb](args, workspace.open())
    command = {
        None: _show,
        "init": _init,
        "ls": _list,
        "select": _select,
        "output": _output,
        "export": _export,
        "import": _import,
        "rename": _rename,
        "rm": _remove,
    }[args.stack_verb]
    return command(args, workspace)


def _show(args: argparse.Namespace, workspace: Workspace) -> int:
    stack = workspace.open()
    snapshot = stack.snapshot()
    print(f"Current stack is {stack.name} (project {stack.project.name}, backend {stack.backend.url})")
    print(f"Current stack resources ({len(snapshot.resources)}):")
    for item in snapshot.resources:
        print(f"    {item.type}  {urns.name_of(item.urn)}{'  (pending deletion)' if item.delete else ''}")
    return 0


def _init(args: argparse.Namespace, workspace: Workspace) -> int:
    name = workspace.split(args.name or args.stack)
    if not name:
        raise UsageError("missing stack name: stack init <name>")
    _create(workspace, name)
    if not args.no_select:
        workspace.backend.select(workspace.project.name, name)
    print(f"Created stack '{name}'")
    return 0


def _create(workspace: Workspace, name: str) -> None:
    workspace.backend.require_free_name(workspace.project.name, name)
    StackConfig(workspace.project, name).ensure_crypter()  # without a passphrase nothing is made
    workspace.backend.create(workspace.project.name, name)


def _list(args: argparse.Namespace, workspace: Workspace) -> int:
    selected = workspace.backend.selected(workspace.project.name)
    rows = []
    for project, name in workspace.backend.stacks(None if args.all else workspace.project.name):
        latest = workspace.backend.load(project, name).get("latest") or {}
        row = {
            "name": name if project == workspace.project.name else f"organization/{project}/{name}",
            "current": project == workspace.project.name and name == selected,
            "lastUpdate": (latest.get("manifest") or {}).get("time", ""),
            "resourceCount": len(latest.get("resources") or []),
        }
        rows.append(row)
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    print(f"{'NAME':<32}{'LAST UPDATE':<30}RESOURCE COUNT")
    for row in rows:
        mark = "*" if row["current"] else ""
        print(f"{row['name'] + mark:<32}{row['lastUpdate'] or 'n/a':<30}{row['resourceCount'] or 'n/a'}")
    return 0


def _select(args: argparse.Namespace, workspace: Workspace) -> int:
    name = workspace.split(args.name or args.stack)
    if not name:
        raise UsageError("missing stack name: stack select <name>")
    if not workspace.backend.exists(workspace.project.name, name):
        if not args.create:
            workspace.open(name)
        _create(workspace, name)
        print(f"Created stack '{name}'")
    workspace.backend.select(workspace.project.name, name)
    return 0


def _output(args: argparse.Namespace, workspace: Workspace) -> int:
    stack = workspace.open()
    outputs: dict[str, Any] = {}
    for item in stack.snapshot().resources:
        if item.type == urns.STACK_TYPE and not item.delete:
            outputs = item.outputs
    show = reveal if args.show_secrets else mask
    if args.name:
        if args.name not in outputs:
            names = ", ".join(sorted(outputs)) or "none"
            raise EngineError(f"current stack does not have output property '{args.name}' (it has: {names})")
        text = show(outputs[args.name])
        print(json.dumps(text) if args.json or not isinstance(text, str) else text)
    elif args.json:
        print(json.dumps({key: show(value) for key, value in sorted(outputs.items())}, indent=2))
    elif args.shell:
        for key, value in sorted(outputs.items()):
            text = show(value)
            print(f"{key}={shlex.quote(text if isinstance(text, str) else json.dumps(text))}")
    else:
        print(f"Current stack outputs ({len(outputs)}):")
        for key, value in sorted(outputs.items()):
            text = show(value)
            print(f"    {key:<24}  {text if isinstance(text, str) else json.dumps(text)}")
    return 0


def _export(args: argparse.Namespace, workspace: Workspace) -> int:
    stack = workspace.open()
    snapshot = stack.snapshot()
    snapshot.salt = snapshot.salt or stack.config.salt
    deployment = snapshot.deployment(None if args.show_secrets else stack.seal_secret)
    text = json.dumps({"version": 3, "deployment": deployment}, indent=4) + "\n"
    if args.file:
        write_file(Path(args.file), text)
    else:
        sys.stdout.write(text)
    return 0


def _import(args: argparse.Namespace, workspace: Workspace) -> int:
    stack = workspace.open()
    text = Path(args.file).read_text(encoding="utf-8") if args.file else sys.stdin.read()
    try:
        data = json.loads(text)
    except ValueError as cause:
        raise StateError(f"the deployment to import is not JSON: {cause}; nothing was changed") from cause
    if not isinstance(data, dict) or data.get("version") != 3:
        raise StateError("the deployment to import is not of version 3 (as 'stack export' prints); nothing was changed")
    deployment = data.get("deployment") or {}
    snapshot = Snapshot.from_deployment(deployment, stack.open_secret)
    if salt_of(deployment) and stack.config.salt and salt_of(deployment) != stack.config.salt:
        raise StateError(
            "the deployment to import was sealed with another salt than this stack's Pulumi.<stack>.yaml; copy that "
            "stack's encryptionsalt too, or export with --show-secrets"
        )
    prefix = f"urn:pulumi:{stack.name}::{stack.project.name}::"
    foreign = [item.urn for item in snapshot.resources if not item.urn.startswith(prefix)]
    if foreign and not args.force:
        raise StateError(
            f"resource {foreign[0]} is not of stack {stack.name}, project {stack.project.name}; use --force"
        )
    with stack.locked():
        stack.save(snapshot)
    print("Import complete.")
    return 0


def _rename(args: argparse.Namespace, workspace: Workspace) -> int:
    stack = workspace.open()
    new = workspace.split(args.name)
    with stack.locked():
        workspace.backend.create(workspace.project.name, new)
        old_prefix, new_prefix = (f"urn:pulumi:{name}::{workspace.project.name}::" for name in (stack.name, new))
        snapshot = stack.snapshot()
        root = f"{old_prefix}{urns.STACK_TYPE}::{workspace.project.name}-{stack.name}"
        mapping = {item.urn: new_prefix + item.urn.removeprefix(old_prefix) for item in snapshot.resources}
        mapping[root] = f"{new_prefix}{urns.STACK_TYPE}::{workspace.project.name}-{new}"
        snapshot.resources = [
            item.renamed(mapping).copy(urn=mapping.get(item.urn, item.urn)) for item in snapshot.resources
        ]
        target = workspace.project.config_folder / f"Pulumi.{new}.yaml"
        if stack.config.path.exists():
            stack.config.path.replace(target)
        renamed = Stack(workspace.project, workspace.backend, new)
        renamed.save(snapshot)
    workspace.backend.remove(workspace.project.name, stack.name)
    if workspace.backend.selected(workspace.project.name) == stack.name:
        workspace.backend.select(workspace.project.name, new)
    print(f"Renamed {stack.name} to {new}")
    return 0


def _remove(args: argparse.Namespace, workspace: Workspace) -> int:
    stack = workspace.open(args.name or "")
    confirm(args, f"This will permanently remove the stack {stack.name}. Are you sure?")
    with stack.locked():
        remaining = [item for item in stack.snapshot().resources if item.custom and not urns.is_provider(item.type)]
        if remaining and not args.force:
            raise EngineError(
                f"'{stack.name}' still has resources ({len(remaining)}, first {remaining[0].urn}); removal rejected. "
                "Destroy it first, or use --force and lose track of them."
            )
        workspace.backend.remove(workspace.project.name, stack.name)
    if not args.preserve_config:
        stack.config.path.unlink(missing_ok=True)
    if workspace.backend.selected(workspace.project.name) == stack.name:
        workspace.backend.select(workspace.project.name, "")
    print(f"Stack '{stack.name}' has been removed")
    return 0


def _cancel(args: argparse.Namespace, workspace: Workspace) -> int:
    name = workspace.stack_name(args.name or "")
    confirm(args, f"This will break the locks of {name}. A run that still works could then corrupt it. Are you sure?")
    broken = workspace.backend.break_locks(workspace.project.name, name)
    for owner in broken:
        print(f"Broke the lock of {user_of(owner)}@{owner.get('hostname')} (pid {owner.get('pid')})")
    steps = len(workspace.backend.journal(workspace.project.name, name).read())
    if steps and not any(runs_here(owner) for owner in broken):
        with workspace.open(name).locked():
            print(f"Took {steps} records of an interrupted run into the state")
    print(f"The currently running update for '{name}' has been canceled" if broken else f"'{name}' was not locked")
    return 0


def _edit(stack: Stack, resources: list[Resource]) -> None:
    snapshot = stack.snapshot()
    snapshot.resources = resources
    stack.save(snapshot)


def _by_urn(resources: list[Resource], urn: str | None) -> Resource:
    matches = [item for item in resources if item.urn == urn and not item.delete]
    if not matches:
        raise EngineError(f"No such resource {urn!r} exists in the current state; 'stack export' lists the URNs")
    return matches[0]


def _unprotect(args: argparse.Namespace, stack: Stack) -> int:
    with stack.locked():
        resources = stack.snapshot().resources
        if not args.all:
            _by_urn(resources, args.urn)
        changed = [item.copy(protect=False) if args.all or item.urn == args.urn else item for item in resources]
        _edit(stack, changed)
    print("All resources unprotected" if args.all else "Resource unprotected")
    return 0


def _forget(args: argparse.Namespace, stack: Stack) -> int:
    with stack.locked():
        resources = stack.snapshot().resources
        target = _by_urn(resources, args.urn)
        if target.protect and not args.force:
            raise EngineError(f"{target.urn} is protected; use --force or 'state unprotect' first")
        forgotten = {target.urn}
        for item in resources:
            if forgotten.intersection(item.links()) and item.urn != target.urn:
                if not args.target_dependents:
                    raise EngineError(
                        f"{target.urn} can't be safely deleted because {item.urn} depends on it; use "
                        "--target-dependents to forget that too"
                    )
                forgotten.add(item.urn)
        _edit(stack, [item for item in resources if item.urn not in forgotten])
    print("Resource deleted")
    return 0

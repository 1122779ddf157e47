"""stack, state and cancel as commands."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from . import urn as urns
from .errors import EngineError, StateError, UsageError
from .files import write_file
from .project import StackConfig
from .run import StackRun
from .state import Resource, Snapshot, salt_of
from .values import masked, reveal
from .workspace import Workspace, confirm


def stack(args: argparse.Namespace) -> int:
    """Run one of the commands."""
    place = Workspace(args)
    if args.verb == "cancel":
        return _cancel(args, place)
    if args.verb == "state":
        return {"unprotect": _unprotect, "delete": _forget}[args.state_verb](args, place.open())
    work = {
        None: _show, "init": _init, "ls": _list, "select": _select, "output": _output, "export": _export,
        "import": _import, "rename": _rename, "rm": _remove,
    }[args.stack_verb]
    return work(args, place)


def _show(args: argparse.Namespace, place: Workspace) -> int:
    run = place.open()
    snapshot = run.snapshot()
    print(f"Current stack is {run.stack} (project {run.project.name}, backend {run.backend.url})")
    print(f"Current stack resources ({len(snapshot.resources)}):")
    for item in snapshot.resources:
        print(f"    {item.type}  {urns.name_of(item.urn)}{'  (pending deletion)' if item.delete else ''}")
    return 0


def _init(args: argparse.Namespace, place: Workspace) -> int:
    name = place.split(args.name or args.stack)
    if not name:
        raise UsageError("missing stack name: stack init <name>")
    _make(place, name)
    if not args.no_select:
        place.backend.select(place.project.name, name)
    print(f"Created stack '{name}'")
    return 0


def _make(place: Workspace, name: str) -> None:
    place.backend.refuse_taken(place.project.name, name)
    StackConfig(place.project, name).ensure_crypter()  # without a passphrase nothing is made
    place.backend.create(place.project.name, name)


def _list(args: argparse.Namespace, place: Workspace) -> int:
    selected = place.backend.selected(place.project.name)
    rows = []
    for project, name in place.backend.stacks(None if args.all else place.project.name):
        latest = place.backend.load(project, name).get("latest") or {}
        row = {
            "name": name if project == place.project.name else f"organization/{project}/{name}",
            "current": project == place.project.name and name == selected,
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


def _select(args: argparse.Namespace, place: Workspace) -> int:
    name = place.split(args.name or args.stack)
    if not name:
        raise UsageError("missing stack name: stack select <name>")
    if not place.backend.exists(place.project.name, name):
        if not args.create:
            place.open(name)
        _make(place, name)
        print(f"Created stack '{name}'")
    place.backend.select(place.project.name, name)
    return 0


def _output(args: argparse.Namespace, place: Workspace) -> int:
    run = place.open()
    outputs: dict[str, Any] = {}
    for item in run.snapshot().resources:
        if item.type == urns.STACK_TYPE and not item.delete:
            outputs = item.outputs
    show = reveal if args.show_secrets else masked
    if args.name:
        if args.name not in outputs:
            known = ", ".join(sorted(outputs)) or "none"
            raise EngineError(f"current stack does not have output property '{args.name}' (it has: {known})")
        shown = show(outputs[args.name])
        print(json.dumps(shown) if args.json or not isinstance(shown, str) else shown)
    elif args.json:
        print(json.dumps({key: show(value) for key, value in sorted(outputs.items())}, indent=2))
    elif args.shell:
        for key, value in sorted(outputs.items()):
            shown = show(value)
            print(f"{key}={shlex.quote(shown if isinstance(shown, str) else json.dumps(shown))}")
    else:
        print(f"Current stack outputs ({len(outputs)}):")
        for key, value in sorted(outputs.items()):
            shown = show(value)
            print(f"    {key:<24}  {shown if isinstance(shown, str) else json.dumps(shown)}")
    return 0


def _export(args: argparse.Namespace, place: Workspace) -> int:
    run = place.open()
    snapshot = run.snapshot()
    snapshot.salt = snapshot.salt or run.config.salt
    deployment = snapshot.deployment(None if args.show_secrets else run.seal_secret)
    text = json.dumps({"version": 3, "deployment": deployment}, indent=4) + "\n"
    if args.file:
        write_file(Path(args.file), text)
    else:
        sys.stdout.write(text)
    return 0


def _import(args: argparse.Namespace, place: Workspace) -> int:
    run = place.open()
    text = Path(args.file).read_text(encoding="utf-8") if args.file else sys.stdin.read()
    try:
        data = json.loads(text)
    except ValueError as cause:
        raise StateError(f"the deployment to import is not JSON: {cause}; nothing was changed") from cause
    if not isinstance(data, dict) or data.get("version") != 3:
        raise StateError("the deployment to import is not of version 3 (as 'stack export' prints); nothing was changed")
    deployment = data.get("deployment") or {}
    snapshot = Snapshot.from_deployment(deployment, run.open_secret)
    if salt_of(deployment) and run.config.salt and salt_of(deployment) != run.config.salt:
        raise StateError(
            "the deployment to import was sealed with another salt than this stack's Pulumi.<stack>.yaml; copy that "
            "stack's encryptionsalt too, or export with --show-secrets"
        )
    prefix = f"urn:pulumi:{run.stack}::{run.project.name}::"
    foreign = [item.urn for item in snapshot.resources if not item.urn.startswith(prefix)]
    if foreign and not args.force:
        raise StateError(f"resource {foreign[0]} is not of stack {run.stack}, project {run.project.name}; use --force")
    with run.locked():
        run.save(snapshot)
    print("Import complete.")
    return 0


def _rename(args: argparse.Namespace, place: Workspace) -> int:
    run = place.open()
    new = place.split(args.name)
    with run.locked():
        place.backend.create(place.project.name, new)
        old_prefix, new_prefix = (f"urn:pulumi:{name}::{place.project.name}::" for name in (run.stack, new))
        snapshot = run.snapshot()
        root = f"{old_prefix}{urns.STACK_TYPE}::{place.project.name}-{run.stack}"
        mapping = {
            item.urn: new_prefix + item.urn.removeprefix(old_prefix) for item in snapshot.resources
        }
        mapping[root] = f"{new_prefix}{urns.STACK_TYPE}::{place.project.name}-{new}"
        snapshot.resources = [
            item.renamed(mapping).copy(urn=mapping.get(item.urn, item.urn)) for item in snapshot.resources
        ]
        target = place.project.config_folder / f"Pulumi.{new}.yaml"
        if run.config.path.exists():
            run.config.path.replace(target)
        renamed = StackRun(place.project, place.backend, new)
        renamed.save(snapshot)
    place.backend.remove(place.project.name, run.stack)
    if place.backend.selected(place.project.name) == run.stack:
        place.backend.select(place.project.name, new)
    print(f"Renamed {run.stack} to {new}")
    return 0


def _remove(args: argparse.Namespace, place: Workspace) -> int:
    run = place.open(args.name or "")
    confirm(args, f"This will permanently remove the stack {run.stack}. Are you sure?")
    with run.locked():
        left = [item for item in run.snapshot().resources if item.custom and not urns.is_provider(item.type)]
        if left and not args.force:
            raise EngineError(
                f"'{run.stack}' still has resources ({len(left)}, first {left[0].urn}); removal rejected. Destroy it "
                "first, or use --force and lose track of them."
            )
        place.backend.remove(place.project.name, run.stack)
    if not args.preserve_config:
        run.config.path.unlink(missing_ok=True)
    if place.backend.selected(place.project.name) == run.stack:
        place.backend.select(place.project.name, "")
    print(f"Stack '{run.stack}' has been removed")
    return 0


def _cancel(args: argparse.Namespace, place: Workspace) -> int:
    name = place.stack_name(args.name or "")
    confirm(args, f"This will break the locks of {name}. A run that still works could then corrupt it. Are you sure?")
    broken = place.backend.break_locks(place.project.name, name)
    for owner in broken:
        print(f"Broke the lock of {owner.get('username')}@{owner.get('hostname')} (pid {owner.get('pid')})")
    print(f"The currently running update for '{name}' has been canceled" if broken else f"'{name}' was not locked")
    return 0


def _edit(run: StackRun, resources: list[Resource]) -> None:
    snapshot = run.snapshot()
    snapshot.resources = resources
    run.save(snapshot)


def _named(resources: list[Resource], urn: str | None) -> Resource:
    found = [item for item in resources if item.urn == urn and not item.delete]
    if not found:
        raise EngineError(f"No such resource {urn!r} exists in the current state; 'stack export' lists the URNs")
    return found[0]


def _unprotect(args: argparse.Namespace, run: StackRun) -> int:
    with run.locked():
        resources = run.snapshot().resources
        if not args.all:
            _named(resources, args.urn)
        changed = [
            item.copy(protect=False) if args.all or item.urn == args.urn else item for item in resources
        ]
        _edit(run, changed)
    print("All resources unprotected" if args.all else "Resource unprotected")
    return 0


def _forget(args: argparse.Namespace, run: StackRun) -> int:
    with run.locked():
        resources = run.snapshot().resources
        victim = _named(resources, args.urn)
        if victim.protect and not args.force:
            raise EngineError(f"{victim.urn} is protected; use --force or 'state unprotect' first")
        doomed = {victim.urn}
        for item in resources:
            if doomed.intersection(item.links()) and item.urn != victim.urn:
                if not args.target_dependents:
                    raise EngineError(
                        f"{victim.urn} can't be safely deleted because {item.urn} depends on it; use "
                        "--target-dependents to forget that too"
                    )
                doomed.add(item.urn)
        _edit(run, [item for item in resources if item.urn not in doomed])
    print("Resource deleted")
    return 0

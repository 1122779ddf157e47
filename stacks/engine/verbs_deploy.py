"""preview, up, refresh, destroy as commands."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from stacks.engine import urn as urns
from stacks.engine.deployment import Deployment, Options
from stacks.engine.display import Display, json_steps
from stacks.engine.errors import UsageError
from stacks.engine.events import Events
from stacks.engine.program import Program
from stacks.engine.project import StackConfig
from stacks.engine.stack import Stack, early_program, is_no_op, refuse_changes
from stacks.engine.values import mask, reveal
from stacks.engine.verbs_config import set_value
from stacks.engine.workspace import Workspace, confirm

TITLES = {"preview": "Previewing update", "up": "Updating", "refresh": "Refreshing", "destroy": "Destroying"}


def run(args: argparse.Namespace) -> int:
    """Carry out one deploying verb."""
    workspace = Workspace(args)
    name = workspace.stack_name()
    _check_flags(args)
    if workspace.backend.exists(workspace.project.name, name):
        _save_config(args, workspace, name)
    if args.verb in ("refresh", "destroy"):
        return {"refresh": _refresh, "destroy": _destroy}[args.verb](args, workspace.open())
    if not workspace.backend.exists(workspace.project.name, name):
        workspace.open()  # which says what there is instead
    program = early_program(workspace.project)
    try:
        return {"preview": _preview, "up": _up}[args.verb](args, workspace.open(), program)
    finally:
        program.stop()


def _events(args: argparse.Namespace, stack: Stack, preview: bool, log: bool = True) -> tuple[Events, list[dict]]:
    events = Events(Path(args.event_log) if args.event_log and log else None)
    collected: list[dict] = []
    if args.json:
        events.detailed = True
        events.listeners.append(collected.append)
    else:
        events.detailed = events.detailed or args.diff
        title = TITLES["preview" if preview and args.verb == "up" else args.verb]
        events.listeners.append(Display(f"{title} ({stack.name})", preview, args.diff, args.show_sames))
    return events, collected


def _options(args: argparse.Namespace, preview: bool) -> Options:
    both = getattr(args, "target_replace", [])
    continue_on_error = (
        getattr(args, "continue_on_error", False) or os.environ.get("PULUMI_CONTINUE_ON_ERROR") == "true"
    )
    return Options(
        preview=preview,
        parallel=max(1, args.parallel),
        targets=args.target + both,
        target_dependents=args.target_dependents,
        excludes=args.exclude,
        replaces=getattr(args, "replace", []) + both,
        continue_on_error=continue_on_error,
    )


def _check_flags(args: argparse.Namespace) -> None:
    """UsageError for flags that contradict each other."""
    if args.exclude and (args.target or getattr(args, "target_replace", [])):
        raise UsageError("--target and --exclude cannot be used together; give one of them")


def _save_config(args: argparse.Namespace, workspace: Workspace, name: str) -> None:
    """Write what `--config` gives into the stack's configuration."""
    for item in args.config:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"--config {item!r} is no setting; wanted KEY=VALUE")
        set_value(StackConfig(workspace.project, name), key, value, args.config_path)


def _wants_refresh(args: argparse.Namespace) -> bool:
    return str(getattr(args, "refresh", "false")).lower() in ("true", "1", "yes")


def _preview(args: argparse.Namespace, stack: Stack, program: Program) -> int:
    events, collected = _events(args, stack, True)
    try:
        stack.deploy(_options(args, True), events, program, _wants_refresh(args))
    finally:
        events.close()
        if args.json:
            _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    if args.expect_no_changes:
        refuse_changes(events, True)
    return 0


def _up(args: argparse.Namespace, stack: Stack, program: Program) -> int:
    with stack.locked():
        if not args.skip_preview:
            events, _ = _events(args, stack, True, log=False)
            if args.json:
                events.listeners.clear()
            preview_events: list[dict] = []
            events.listeners.append(preview_events.append)
            deployment = stack.deploy(_options(args, True), events, program, _wants_refresh(args))
            if args.expect_no_changes:
                refuse_changes(events, True)
            if is_no_op(deployment) and not _wants_refresh(args):
                # Nothing to do: the second execution of the program would register the very same.
                return _finish_without_changes(args, stack, deployment, preview_events)
            confirm(args, f"Do you want to perform this update of {stack.name}?")
            program = early_program(stack.project)
        events, collected = _events(args, stack, False)
        try:
            result = stack.deploy(_options(args, False), events, program, _wants_refresh(args))
        finally:
            events.close()
            program.stop()
            if args.json:
                _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    if not args.json and not args.suppress_outputs:
        _show_outputs(result, args.show_secrets)
    if args.expect_no_changes:
        refuse_changes(events, False)
    return 0


def _finish_without_changes(
    args: argparse.Namespace, stack: Stack, deployment: Deployment, preview_events: list[dict]
) -> int:
    stack.adopt(deployment)
    events, collected = _events(args, stack, False)
    for event in preview_events:
        for kind, content in event.items():
            if kind == "summaryEvent":
                content["isPreview"] = False
            if kind not in ("sequence", "timestamp", "diagnosticEvent"):
                events.emit(kind, **content)
    events.close()
    if args.json:
        _print_json({"steps": json_steps(collected), "changeSummary": dict(deployment.events.changes)})
    elif not args.suppress_outputs:
        _show_outputs(deployment, args.show_secrets)
    return 0


def _refresh(args: argparse.Namespace, stack: Stack) -> int:
    if not args.skip_preview and not args.preview_only:
        confirm(args, f"Do you want to refresh the state of {stack.name}?")
    with stack.locked():
        events, collected = _events(args, stack, False)
        before = {item.urn: item for item in stack.snapshot().resources}
        try:
            result = stack.refresh(_options(args, args.preview_only), events)
        finally:
            events.close()
            if args.json:
                _print_json({"steps": json_steps(collected), **_errors(events)})
    changed = [urn for urn, item in before.items() if result.olds.get(urn) != item and not item.delete]
    if not args.json:
        for urn in changed:
            state = "changed" if urn in result.olds else "gone"
            print(f"    {urns.type_of(urn)} {urns.name_of(urn)}: {state}")
    if args.expect_no_changes:
        refuse_changes(events, False)
    return 0


def _destroy(args: argparse.Namespace, stack: Stack) -> int:
    with stack.locked():
        if args.preview_only:
            return _preview_destroy(args, stack)
        if not args.skip_preview:
            events, _ = _events(args, stack, True, log=False)
            if args.json:
                events.listeners.clear()
            stack.destroy(_options(args, True), events, _wants_refresh(args))
            confirm(args, f"Do you want to destroy the resources of {stack.name}?")
        events, collected = _events(args, stack, False)
        try:
            stack.destroy(_options(args, False), events, _wants_refresh(args))
        finally:
            events.close()
            if args.json:
                _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    if args.remove:
        stack.backend.remove(stack.project.name, stack.name)
        stack.config.path.unlink(missing_ok=True)
        print(f"Stack {stack.name} has been removed")
    elif not args.json:
        print(f"The resources of stack {stack.name} are deleted; 'stack rm {stack.name}' removes the stack itself.")
    return 0


def _preview_destroy(args: argparse.Namespace, stack: Stack) -> int:
    events, collected = _events(args, stack, True)
    try:
        stack.destroy(_options(args, True), events, _wants_refresh(args))
    finally:
        events.close()
        if args.json:
            _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    return 0


def _errors(events: Events) -> dict:
    if not events.errors:
        return {}
    return {"diagnostics": [{"severity": "error", "message": text} for text in events.errors]}


def _print_json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def _show_outputs(result: Deployment, show_secrets: bool) -> None:
    for item in result.news.values():
        if item.type == urns.STACK_TYPE and item.outputs:
            print("Outputs:")
            for key, value in sorted(item.outputs.items()):
                text = reveal(value) if show_secrets else mask(value)
                print(f"    {key}: {json.dumps(text, ensure_ascii=False)}")

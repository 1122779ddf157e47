"""preview, up, refresh, destroy as commands."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from . import urn as urns
from .deployment import Deployment, Options
from .display import Display, json_steps
from .events import Events
from .program import Program
from .run import StackRun, early_program, expect_no_changes, unchanged
from .values import masked, reveal
from .workspace import Workspace, confirm

TITLES = {"preview": "Previewing update", "up": "Updating", "refresh": "Refreshing", "destroy": "Destroying"}


def deploy(args: argparse.Namespace) -> int:
    """Run one deploying verb."""
    place = Workspace(args)
    needs_program = args.verb in ("preview", "up")
    stack = place.stack_name()
    there = place.backend.exists(place.project.name, stack)
    program = early_program(place.project) if needs_program and there else None
    try:
        run = place.open()
        work = {"preview": _preview, "up": _up, "refresh": _refresh, "destroy": _destroy}[args.verb]
        return work(args, run, program)
    finally:
        if program is not None:
            program.stop()


def _events(args: argparse.Namespace, run: StackRun, preview: bool, log: bool = True) -> tuple[Events, list[dict]]:
    events = Events(Path(args.event_log) if args.event_log and log else None)
    collected: list[dict] = []
    if args.json:
        events.detailed = True
        events.listeners.append(collected.append)
    else:
        events.detailed = events.detailed or args.diff
        title = TITLES["preview" if preview and args.verb == "up" else args.verb]
        events.listeners.append(Display(f"{title} ({run.stack})", preview, args.diff))
    return events, collected


def _options(args: argparse.Namespace, preview: bool) -> Options:
    return Options(preview=preview, parallel=max(1, args.parallel), targets=args.target)


def _wants_refresh(args: argparse.Namespace) -> bool:
    return str(getattr(args, "refresh", "false")).lower() in ("true", "1", "yes")


def _preview(args: argparse.Namespace, run: StackRun, program: Program) -> int:
    events, collected = _events(args, run, True)
    try:
        run.deploy(_options(args, True), events, program, _wants_refresh(args))
    finally:
        events.close()
        if args.json:
            _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    if args.expect_no_changes:
        expect_no_changes(events, True)
    return 0


def _up(args: argparse.Namespace, run: StackRun, program: Program) -> int:
    with run.locked():
        if not args.skip_preview:
            events, _ = _events(args, run, True, log=False)
            if args.json:
                events.listeners.clear()
            seen: list[dict] = []
            events.listeners.append(seen.append)
            done = run.deploy(_options(args, True), events, program, _wants_refresh(args))
            if args.expect_no_changes:
                expect_no_changes(events, True)
            if unchanged(done) and not _wants_refresh(args):
                # Nothing to do: the second execution of the program would register the very same.
                return _settled(args, run, done, seen)
            confirm(args, f"Do you want to perform this update of {run.stack}?")
            program = early_program(run.project)
        events, collected = _events(args, run, False)
        try:
            result = run.deploy(_options(args, False), events, program, _wants_refresh(args))
        finally:
            events.close()
            program.stop()
            if args.json:
                _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    if not args.json and not args.suppress_outputs:
        _show_outputs(result, args.show_secrets)
    if args.expect_no_changes:
        expect_no_changes(events, False)
    return 0


def _settled(args: argparse.Namespace, run: StackRun, done: Deployment, seen: list[dict]) -> int:
    run.adopt(done)
    events, collected = _events(args, run, False)
    for event in seen:
        for kind, content in event.items():
            if kind == "summaryEvent":
                content["isPreview"] = False
            if kind not in ("sequence", "timestamp", "diagnosticEvent"):
                events.emit(kind, **content)
    events.close()
    if args.json:
        _print_json({"steps": json_steps(collected), "changeSummary": dict(done.events.changes)})
    elif not args.suppress_outputs:
        _show_outputs(done, args.show_secrets)
    return 0


def _refresh(args: argparse.Namespace, run: StackRun, _program: Program | None) -> int:
    if not args.skip_preview:
        confirm(args, f"Do you want to refresh the state of {run.stack}?")
    with run.locked():
        events, collected = _events(args, run, False)
        before = {item.urn: item for item in run.snapshot().resources}
        try:
            result = run.refresh(_options(args, False), events)
        finally:
            events.close()
            if args.json:
                _print_json({"steps": json_steps(collected), **_errors(events)})
    changed = [urn for urn, item in before.items() if result.olds.get(urn) != item and not item.delete]
    if not args.json:
        for urn in changed:
            state = "changed" if urn in result.olds else "gone"
            print(f"    {urns.type_of(urn)} {urns.name_of(urn)}: {state}")
    if args.expect_no_changes and changed:
        events.changes["update"] = len(changed)
        expect_no_changes(events, False)
    return 0


def _destroy(args: argparse.Namespace, run: StackRun, _program: Program | None) -> int:
    with run.locked():
        if not args.skip_preview:
            events, _ = _events(args, run, True, log=False)
            if args.json:
                events.listeners.clear()
            run.destroy(_options(args, True), events, _wants_refresh(args))
            confirm(args, f"Do you want to destroy the resources of {run.stack}?")
        events, collected = _events(args, run, False)
        try:
            run.destroy(_options(args, False), events, _wants_refresh(args))
        finally:
            events.close()
            if args.json:
                _print_json({"steps": json_steps(collected), "changeSummary": dict(events.changes), **_errors(events)})
    if args.remove:
        run.backend.remove(run.project.name, run.stack)
        run.config.path.unlink(missing_ok=True)
        print(f"Stack {run.stack} has been removed")
    elif not args.json:
        print(f"The resources of stack {run.stack} are deleted; 'stack rm {run.stack}' removes the stack itself.")
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
                shown = reveal(value) if show_secrets else masked(value)
                print(f"    {key}: {json.dumps(shown, ensure_ascii=False)}")



"""What `asp up` would change, stack by stack, before anybody changes it: previews of a whole environment."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from centre.faults import FAILED, OK, UNREACHABLE
from centre.reach.runtime import Runtime
from centre.verbs import lock, provision, summaries
from inventory.register import Register, load
from stacks import order
from stacks.order import Stack

SECONDS = 900  # for one preview
TOGETHER = max(2, min(8, os.cpu_count() or 2))  # previews at a time; each is two processes, one of which waits
SHOWN = 10  # changed resources of a stack in the table
ABSENT = 6  # the engine's exit code, and the CLI's, for a stack that does not exist


@dataclass(frozen=True)
class Preview:
    """What one stack would change: resources by operation, and each by name. `fault`: why that is not known."""

    project: str
    stack: str
    counts: dict[str, int] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    fault: str = ""
    absent: bool = False

    @property
    def changes(self) -> bool:
        return self.absent or any(self.counts.get(op) for op in summaries.CHANGES)


def run(options: argparse.Namespace) -> int:
    """`asp plan`: exit 0 (with --expect-no-changes 1 when there are any), 3 when a stack could not be previewed."""
    began = time.monotonic()
    register = load(options.env)
    Runtime(register)  # without a daemon every stack would say the same, one after the other
    previews = plan(register, options.refresh)
    if options.json:
        print(json.dumps(document(options.env, previews), ensure_ascii=False, indent=1))
    else:
        print(text(options.env, previews, time.monotonic() - began))
    if any(preview.fault for preview in previews):
        return UNREACHABLE
    return FAILED if options.expect_no_changes and any(preview.changes for preview in previews) else OK


def plan(register: Register, refresh: bool = True) -> list[Preview]:
    """Previews of all stacks in their order. `refresh`: compare with what runs, as `up` does, not with the state."""
    environ = provision.environment(register)
    stacks = [stack for wave in order.waves(register) for stack in wave]
    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(lambda stack: preview(stack, environ, refresh), stacks))


def preview(stack: Stack, environ: Mapping[str, str], refresh: bool) -> Preview:
    """One stack's preview, of the engine's JSON."""
    command = [
        *provision.command(),
        "-C",
        stack.folder,
        "--non-interactive",
        "preview",
        "--stack",
        stack.name,
        "--json",
    ]
    try:
        process = subprocess.run(
            [*command, *(["--refresh"] if refresh else [])],
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Preview(stack.project, stack.name, fault=f"no end after {SECONDS} s")
    return of_output(stack, process.returncode, process.stdout, process.stderr)


def of_output(stack: Stack, code: int, out: str, err: str) -> Preview:
    """A preview from what the engine printed and its exit code."""
    if code == ABSENT:
        return Preview(stack.project, stack.name, absent=True)
    try:
        answer = json.loads(out)
    except ValueError:
        answer = {}
    if code != 0 or "changeSummary" not in answer:
        messages = [item.get("message", "") for item in answer.get("diagnostics", [])]
        fault = messages or err.strip().splitlines()[-3:] or [f"the engine's exit code is {code}"]
        return Preview(stack.project, stack.name, fault=" ".join(" ".join(fault).split()))
    steps = [
        {"operation": step["op"], "urn": step["urn"], "differs": step.get("diffReasons", [])}
        for step in answer.get("steps", [])
        if step["op"] in summaries.CHANGES
    ]
    return Preview(stack.project, stack.name, answer["changeSummary"], steps)


def document(env: str, previews: list[Preview]) -> dict[str, Any]:
    """The plan as JSON. `changes` is null when nothing is known to change and a stack could not be previewed."""
    complete = not any(preview.fault for preview in previews)
    at_work = lock.holder(env)
    return {
        "environment": env,
        "changes": any(preview.changes for preview in previews) or (False if complete else None),
        "at_work": asdict(at_work) if at_work else None,
        "stacks": [asdict(preview) for preview in previews],
    }


def text(env: str, previews: list[Preview], seconds: float) -> str:
    """A table with a line for each stack, and the changed resources under it."""
    lines = []
    if at_work := lock.holder(env):
        lines += [f"{at_work} is under way: the plan is of a moment in between", ""]
    width = max(len(f"{preview.project} {preview.stack}") for preview in previews)
    for preview in previews:
        lines.append(f"{preview.project} {preview.stack}".ljust(width) + f"  {_outcome(preview)}")
        lines += [f"    {step['operation']:<8} {_name(step)}" for step in preview.steps[:SHOWN]]
        if len(preview.steps) > SHOWN:
            lines.append(f"    and {len(preview.steps) - SHOWN} more: asp stack {_words(preview)} preview --diff")
    faults = sum(bool(preview.fault) for preview in previews)
    changing = sum(preview.changes for preview in previews)
    verdict = f"{changing} of {len(previews)} stacks would change" if changing else "nothing would change"
    unknown = f"; {faults} could not be previewed" if faults else ""
    following = f". To change it: asp up {env}" if changing and not faults else ""
    return "\n".join([*lines, "", f"{verdict}{unknown}, after {seconds:.0f} s{following}"])


def _outcome(preview: Preview) -> str:
    if preview.fault:
        return f"not known: {preview.fault}"
    if preview.absent:
        return "does not exist yet: everything would be created"
    same = preview.counts.get("same", 0)
    changed = ", ".join(f"{preview.counts[op]} to {op}" for op in summaries.CHANGES if preview.counts.get(op))
    return f"{changed or 'no change'} ({same} unchanged)"


def _words(preview: Preview) -> str:
    """How `asp stack` is told which stack this is."""
    cell, dot, _ = preview.stack.rpartition(".")
    return f"{preview.project} --cell {cell}" if dot else preview.project


def _name(step: dict[str, Any]) -> str:
    kind, name = step["urn"].split("::")[-2:]
    differs = f" ({', '.join(step['differs'])})" if step["differs"] else ""
    return f"{kind.split('$')[-1]} {name}{differs}"

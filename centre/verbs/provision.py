"""Running Pulumi over an environment's stacks: which engine, with which state, and what it changed.

The engine is a command (`PULUMI`, by default the embedded one) and is only ever run, never imported.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

import yaml

from centre.verbs import summaries
from centre.verbs.progress import Steps
from inventory import paths
from inventory.register import Register
from inventory.vault import vault
from stacks.order import Stack

UP_SECONDS = 3600  # three nodes and three members, one after the other, each of which may take as long as it waits


def command() -> list[str]:
    """The engine that runs stacks: PULUMI, default the embedded one."""
    return shlex.split(os.environ.get("PULUMI") or "") or [sys.executable, "-m", "stacks.engine"]


def backend(register: Register) -> dict[str, str]:
    """Where an environment's state lies, without what opens it."""
    folder = paths.state_dir(register.environment.id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PYTHONPATH": str(paths.ROOT),
    }


def environment(register: Register) -> dict[str, str]:
    """Where state lies and what opens it; only ever in a process's environment."""
    return backend(register) | {
        "PULUMI_CONFIG_PASSPHRASE": vault.load(register).password("pulumi_passphrase"),
        "PULUMI_DEBUG_COMMANDS": "true",  # without it Pulumi's own command does not know --event-log
    }


def configure(stack: Stack) -> None:
    """Write the stack's configuration into its `Pulumi.<stack>.yaml`, beside whatever else stands there."""
    folder = paths.LOCAL / "config" / stack.project
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"Pulumi.{stack.name}.yaml"
    content = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}) if file.is_file() else {}
    values = {**(content.get("config") or {}), **stack.config}
    if values != content.get("config"):
        text = yaml.safe_dump({**content, "config": values}, sort_keys=False, allow_unicode=True)
        whole = file.with_suffix(".new")
        whole.write_text(text, encoding="utf-8")
        whole.replace(file)


def bring_up(steps: Steps, stack: Stack, environ: Mapping[str, str]) -> str:
    """Select (or create) a stack and make it what its program says; what changed.

    With --refresh: what was stopped or removed by hand is seen and put back.
    """
    configure(stack)
    name = f"{stack.project}-{stack.name}"
    base = [*command(), "-C", stack.folder, "--non-interactive"]
    steps.command(f"{name}-select", [*base, "stack", "select", "--create", stack.name], environ)
    events = steps.logs / f"{name}.events.jsonl"
    events.unlink(missing_ok=True)
    arguments = ["up", "--stack", stack.name, "--yes", "--skip-preview", "--refresh", "--event-log", str(events)]
    steps.command(name, [*base, *arguments], environ, limit=UP_SECONDS)
    return summaries.of_engine(events)

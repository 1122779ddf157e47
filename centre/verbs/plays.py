"""Operators' verbs that are playbooks: ansible-playbook with the right variables, and whatever options follow."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from centre.faults import UsageFault
from centre.verbs import child, summaries
from centre.verbs.progress import Steps
from inventory import paths

KSH = re.compile(r"\d{5}")


def environment(env: str) -> dict[str, str]:
    """What ansible-playbook needs of its surroundings, from whatever folder it is called."""
    return {"ASP_ENV": env, "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg")}


def argv(playbook: str, variables: Mapping[str, object], rest: Sequence[str] = ()) -> list[str]:
    """The command; variables as one JSON document, so that no value is read as a word of YAML or of the shell."""
    extra_vars = {name: value for name, value in variables.items() if value not in (None, "", False)}
    extra = ["-e", json.dumps(extra_vars, ensure_ascii=False)] if extra_vars else []
    program = Path(sys.executable).with_name("ansible-playbook")
    return [str(program), str(paths.ROOT / "playbooks" / f"{playbook}.yml"), *extra, *rest]


def step(steps: Steps, env: str, playbook: str, title: str, **variables: object) -> None:
    """Run a playbook with its variables as a step of `up`."""
    summary = steps.logs / f"{playbook}.summary.json"

    def action() -> str:
        summary.unlink(missing_ok=True)
        environ = {**environment(env), "ANSIBLE_FORCE_COLOR": "0", summaries.PLAY_SUMMARY: str(summary)}
        steps.command(playbook, argv(playbook, variables), environ)
        return summaries.of_play(summary)

    steps.run(title, action)


def _play(options: argparse.Namespace, playbook: str, variables: Mapping[str, object]) -> int:
    return child.run(argv(playbook, variables, options.rest), environment(options.env))


def municipality(options: argparse.Namespace, verb: str) -> str:
    """The KSH code of a verb that works on one municipality; UsageFault without one."""
    ksh: str | None = options.ksh
    if not ksh or not KSH.fullmatch(ksh):
        hint = f"; seen: {ksh}" if ksh else ""
        raise UsageFault(f"wanted a KSH code, e.g. asp {verb} 16054{hint}; known ones: asp status --env {options.env}")
    return ksh


def join(options: argparse.Namespace) -> int:
    """`asp join KSH`, or `--all`: every municipality that the register says has joined."""
    if options.all and not options.ksh:
        return _play(options, "join", {"municipality": "all"})
    return _play(options, "join", {"municipality": municipality(options, "join")})


def leave(options: argparse.Namespace) -> int:
    return _play(options, "leave", {"municipality": municipality(options, "leave"), "confirm": options.confirm})


def endpoints(options: argparse.Namespace) -> int:
    return _play(options, "endpoints", {})


def drill(options: argparse.Namespace) -> int:
    return _play(options, "drill", {"municipality": ",".join(options.ksh)})


def restore(options: argparse.Namespace) -> int:
    variables = {
        "municipality": municipality(options, "restore"),
        "target_time": options.at,
        "repository": options.repository,
        "look": options.look,
        "undo": options.undo,
        "forget": options.forget,
    }
    return _play(options, "restore", variables)


def restore_cell(options: argparse.Namespace) -> int:
    variables = {
        "cell": options.cell,
        "confirm": options.confirm,
        "target_time": options.at,
        "repository": options.repository,
        "forget": options.forget,
    }
    return _play(options, "restore_cell", variables)


def failover(options: argparse.Namespace) -> int:
    return _play(options, "failover", {"cell": options.cell, "node": options.node})


def fill(options: argparse.Namespace) -> int:
    return _invent(options, "fill")


def refill(options: argparse.Namespace) -> int:
    return _invent(options, "refill")


def _invent(options: argparse.Namespace, verb: str) -> int:
    variables = {"municipality": municipality(options, verb), "confirm": options.confirm, "seed": options.seed}
    return _play(options, verb, variables)


def revoke(options: argparse.Namespace) -> int:
    """`asp revoke`: one scope, or the ledger, or the ledger once more at step-ca."""
    scopes = {"certificate": options.serial, "clerk": options.clerk, "seat": options.seat, "office": options.office}
    scope = {kind: name for kind, name in scopes.items() if name}
    acts = [act for act in ("list", "reapply", "lift") if getattr(options, act)]
    if len(acts) > 1 or len(scope) != (0 if acts in (["list"], ["reapply"]) else 1):
        raise UsageFault(
            f"seen {', '.join([*scope, *acts]) or 'nothing to revoke'}; wanted one of --serial, --clerk, --seat and "
            "--office (with --lift to allow new certificates again), or --list, or --reapply: asp revoke --help"
        )
    ((kind, name),) = scope.items() or [("", "")]
    variables = {
        "act": acts[0] if acts else "revoke",
        "kind": kind,
        "subject": name,
        "reason": options.reason,
        "note": options.note,
        "confirm": options.confirm,
    }
    return _play(options, "revoke", variables)


def publish(options: argparse.Namespace) -> int:
    variables = {
        "day": options.day,
        "folder": str(options.out.absolute()) if options.out else None,
        "incomplete": options.incomplete,
        "with_connecting": options.with_connecting,
    }
    return _play(options, "publish", variables)

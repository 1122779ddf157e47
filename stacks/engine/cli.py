"""Command line, compatible with the `pulumi` CLI for the verbs and flags that operators use."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from stacks.engine import verbs_config, verbs_deploy, verbs_stack
from stacks.engine.errors import EngineError
from stacks.engine.state import ENGINE_VERSION

DESCRIPTION = """Embedded deployment engine: runs Pulumi Python programs over docker:index/* resources with the same
verbs, flags and state as the pulumi CLI, from PyPI packages alone.

Environment: PULUMI_BACKEND_URL (file://<folder>), PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE,
PULUMI_STACK, DOCKER_HOST."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-C", "--cwd", default=argparse.SUPPRESS, metavar="DIR", help="run as if started there")
    common.add_argument("-s", "--stack", default=argparse.SUPPRESS, help="stack to work on (default: the selected one)")
    common.add_argument("--non-interactive", action="store_true", default=argparse.SUPPRESS, help="never ask")
    common.add_argument("--color", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    common.add_argument("--logtostderr", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    main = argparse.ArgumentParser(
        prog="python -m stacks.engine",
        description=DESCRIPTION,
        parents=[common],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = main.add_subparsers(dest="verb", metavar="<verb>", required=True)
    _add_deploy_verbs(verbs, common)
    _add_stack_verbs(verbs, common)
    _add_config_verbs(verbs, common)
    _add_state_verbs(verbs, common)
    cancel = verbs.add_parser(
        "cancel", parents=[common], help="break the locks of a stack, and fold the journal of a dead run"
    )
    cancel.add_argument("name", nargs="?", help="stack")
    cancel.add_argument("-y", "--yes", action="store_true", help="do not ask")
    verbs.add_parser("version", parents=[common], help="print the version of Pulumi that this engine follows")
    return main


def _add_deploy_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    texts = {
        "preview": "show what an update would do",
        "up": "create or update the stack's resources",
        "refresh": "take over into the state what the daemon has now",
        "destroy": "delete the stack's resources",
    }
    for verb, text in texts.items():
        aliases = {"preview": ["pre"], "up": ["update"], "destroy": ["down"]}.get(verb, [])
        sub = verbs.add_parser(verb, aliases=aliases, parents=[common], help=text)
        sub.set_defaults(verb=verb)
        sub.add_argument("--diff", action="store_true", help="show changed properties (secrets hidden)")
        sub.add_argument("--json", "-j", action="store_true", help="machine-readable output")
        sub.add_argument("--event-log", metavar="FILE", help="append engine events as JSON lines")
        sub.add_argument("--target", "-t", action="append", default=[], metavar="URN", help="only this (repeatable)")
        sub.add_argument("--target-dependents", action="store_true", help="and what depends on the targets")
        sub.add_argument(
            "--exclude", "-x", action="append", default=[], metavar="URN", help="all but this (repeatable)"
        )
        sub.add_argument("--show-sames", action="store_true", help="show resources that stay as they are, too")
        sub.add_argument("--parallel", "-p", type=int, default=16, help="operations at a time (default 16)")
        sub.add_argument("--expect-no-changes", action="store_true", help="fail when anything changes")
        sub.add_argument("--show-secrets", action="store_true", help="show secret outputs")
        sub.add_argument("--suppress-outputs", action="store_true", help="do not show stack outputs")
        sub.add_argument("--message", "-m", help="ignored: the file backend keeps no messages here")
        sub.add_argument("--config", "-c", action="append", default=[], metavar="KEY=VALUE", help="set and save")
        sub.add_argument("--config-path", action="store_true", help="keys of --config are paths")
        if verb != "refresh":
            sub.add_argument("--refresh", "-r", nargs="?", const="true", default="false", help="refresh first")
        if verb != "preview":
            sub.add_argument("-y", "--yes", action="store_true", help="do not ask")
            sub.add_argument("--skip-preview", "-f", action="store_true", help="no preview first")
        if verb in ("preview", "up"):
            sub.add_argument("--replace", action="append", default=[], metavar="URN", help="replace this (repeatable)")
            sub.add_argument(
                "--target-replace", action="append", default=[], metavar="URN", help="--target and --replace"
            )
        if verb in ("up", "destroy"):
            sub.add_argument("--continue-on-error", action="store_true", help="go on with what does not depend on it")
        if verb in ("refresh", "destroy"):
            sub.add_argument("--preview-only", action="store_true", help="only show what would be done")
        if verb == "destroy":
            sub.add_argument("--remove", action="store_true", help="remove the stack afterwards")


def _add_stack_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    stack = verbs.add_parser("stack", parents=[common], help="manage stacks")
    subs = stack.add_subparsers(dest="stack_verb", metavar="<command>")
    init = subs.add_parser("init", aliases=["new"], parents=[common], help="make an empty stack and select it")
    init.set_defaults(stack_verb="init")
    init.add_argument("name", nargs="?")
    init.add_argument("--no-select", action="store_true")
    init.add_argument("--secrets-provider", default="passphrase", choices=["default", "passphrase"])
    listing = subs.add_parser("ls", aliases=["list"], parents=[common], help="list stacks")
    listing.set_defaults(stack_verb="ls")
    listing.add_argument("--all", "-a", action="store_true", help="of all projects")
    listing.add_argument("--json", "-j", action="store_true")
    select = subs.add_parser("select", parents=[common], help="choose the stack that commands mean")
    select.add_argument("name", nargs="?")
    select.add_argument("--create", "-c", action="store_true", help="make it when it does not exist")
    output = subs.add_parser("output", parents=[common], help="show outputs")
    output.add_argument("name", nargs="?", help="one output only")
    output.add_argument("--json", "-j", action="store_true")
    output.add_argument("--shell", action="store_true", help="as shell assignments")
    output.add_argument("--show-secrets", action="store_true")
    export = subs.add_parser("export", parents=[common], help="print the deployment")
    export.add_argument("--file", metavar="FILE")
    export.add_argument("--show-secrets", action="store_true", help="secrets in plain text")
    imported = subs.add_parser("import", parents=[common], help="replace the deployment")
    imported.add_argument("--file", metavar="FILE")
    imported.add_argument("--force", "-f", action="store_true")
    rename = subs.add_parser("rename", parents=[common], help="rename the stack")
    rename.add_argument("name")
    remove = subs.add_parser("rm", aliases=["remove"], parents=[common], help="remove the stack")
    remove.set_defaults(stack_verb="rm")
    remove.add_argument("name", nargs="?")
    remove.add_argument("-y", "--yes", action="store_true")
    remove.add_argument("--force", "-f", action="store_true", help="even when it has resources")
    remove.add_argument("--preserve-config", action="store_true", help="leave Pulumi.<stack>.yaml")


def _add_config_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    config = verbs.add_parser("config", parents=[common], help="configuration of the stack")
    config.add_argument("--show-secrets", action="store_true")
    config.add_argument("--json", "-j", action="store_true")
    subs = config.add_subparsers(dest="config_verb", metavar="<command>")
    for verb, text in (("set", "set a value"), ("get", "print a value"), ("rm", "remove a value")):
        sub = subs.add_parser(verb, aliases=["remove"] if verb == "rm" else [], parents=[common], help=text)
        sub.set_defaults(config_verb=verb)
        sub.add_argument("key")
        sub.add_argument("--path", action="store_true", help="the key is a path into a structured value")
        if verb == "set":
            sub.add_argument("value", nargs="?", help="default: standard input")
            sub.add_argument("--secret", action="store_true")
            sub.add_argument("--plaintext", action="store_true")
            sub.add_argument("--type", default="", choices=["", "string", "bool", "int", "float"])
        if verb == "get":
            sub.add_argument("--json", "-j", action="store_true")


def _add_state_verbs(verbs: Any, common: argparse.ArgumentParser) -> None:
    state = verbs.add_parser("state", parents=[common], help="repair the state")
    subs = state.add_subparsers(dest="state_verb", metavar="<command>", required=True)
    for verb, text in (("unprotect", "allow a resource to be deleted"), ("delete", "forget a resource")):
        sub = subs.add_parser(verb, parents=[common], help=text)
        sub.add_argument("urn", nargs="?")
        sub.add_argument("-y", "--yes", action="store_true")
        if verb == "unprotect":
            sub.add_argument("--all", action="store_true")
        else:
            sub.add_argument("--force", action="store_true", help="even when protected")
            sub.add_argument("--target-dependents", action="store_true", help="with what depends on it")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    args = parser().parse_args(arguments)
    for name, default in (("cwd", "."), ("stack", os.environ.get("PULUMI_STACK", "")), ("non_interactive", False)):
        if not hasattr(args, name):
            setattr(args, name, default)
    args.cwd = Path(args.cwd)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _dispatch(args)
    except EngineError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted; run the command again to complete what was begun\n")
        return 8
    except BrokenPipeError:
        sys.stderr = None
        return 1
    except OSError as error:  # a file that was named on the command line, or the backend's folder
        sys.stderr.write(f"error: cannot use {error.filename}: {error.strerror}; mend its path or its rights\n")
        return 1


def _dispatch(args: argparse.Namespace) -> int:
    if args.verb == "version":
        print(ENGINE_VERSION)
        return 0
    if args.verb in ("preview", "up", "refresh", "destroy"):
        return verbs_deploy.run(args)
    if args.verb in ("stack", "cancel", "state"):
        return verbs_stack.run(args)
    return verbs_config.run(args)

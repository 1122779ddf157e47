"""Which project, backend and stack a command means."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stacks.engine.backend import Backend
from stacks.engine.errors import Declined, StackNotFound, UsageError
from stacks.engine.project import ORGANIZATION, Project
from stacks.engine.stack import Stack


class Workspace:
    """Project and backend of a command."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.project = Project.find(args.cwd)
        self.backend = Backend.from_environment(self.project, Path.cwd())

    def split(self, name: str) -> str:
        """Stack name of `dev`, `organization/dev` or `organization/<project>/dev`; UsageError otherwise."""
        pieces = name.split("/")
        if len(pieces) == 1:
            return name
        if pieces[0] == ORGANIZATION and (len(pieces) == 2 or pieces[1] == self.project.name) and len(pieces) <= 3:
            return pieces[-1]
        raise UsageError(f"stack {name!r} is not of this project; wanted {ORGANIZATION}/{self.project.name}/<stack>")

    def stack_name(self, name: str = "") -> str:
        """The stack that the command means; StackNotFound when none is named or selected."""
        stack = name or self.args.stack or self.backend.selected(self.project.name)
        if not stack:
            raise StackNotFound("no stack selected; name one with -s or select one with 'stack select <name>'")
        return self.split(stack)

    def open(self, name: str = "") -> Stack:
        """The stack, loaded; StackNotFound when it does not exist."""
        stack = self.stack_name(name)
        if not self.backend.exists(self.project.name, stack):
            names = ", ".join(item for _, item in self.backend.stacks(self.project.name)) or "none"
            raise StackNotFound(
                f"no stack named '{stack}' found in {self.backend.url} (project {self.project.name}, known: {names}). "
                f"Make it with 'stack init {stack}' or 'stack select --create {stack}'."
            )
        return Stack(self.project, self.backend, stack)


def confirm(args: argparse.Namespace, question: str) -> None:
    """Ask unless `--yes`; UsageError where nobody can answer, Declined when the answer is no."""
    if args.yes:
        return
    if args.non_interactive or not sys.stdin.isatty():
        raise UsageError("--yes must be passed in to proceed when running in non-interactive mode")
    if input(f"{question} [yes/no] ").strip().lower() not in ("yes", "y"):
        raise Declined("confirmation declined; nothing was changed")

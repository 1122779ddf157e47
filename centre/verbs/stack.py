"""One stack with the engine's own verbs, and the shell environment in which the engine's own command works."""

from __future__ import annotations

import argparse
import os
import shlex
import tempfile
from pathlib import Path

from centre.faults import OK, UsageFault
from centre.verbs import addresses, child, preconditions, provision
from inventory import paths
from inventory.register import Register, load
from inventory.vault import vault
from stacks import order
from stacks.order import Stack

PASSPHRASE = "pulumi-passphrase"  # beside the vault's own password, as secret as that one
CHANGING = {"up", "update", "destroy", "down"}


def stack(options: argparse.Namespace) -> int:
    """`asp stack PROJECT VERB…`: its exit code is the engine's."""
    register = load(options.env)
    target = choose(register, options.project, options.cell)
    words = [*options.words, *options.rest]
    if not words:
        raise UsageFault(
            f"stack {options.project}: wanted a verb of the engine, e.g. asp stack {options.project} preview"
        )
    if CHANGING & set(words):
        preconditions.keeps_its_nodes(register)
        addresses.keeps_its_subnets(register)
    provision.configure(target)
    command = [*provision.command(), "-C", target.folder, *words, "--stack", target.name]
    return child.code_of(command, provision.environment(register))


def choose(register: Register, project: str, cell: str | None) -> Stack:
    """The stack of a project, of a cell where it has several; UsageFault naming those that there are."""
    stacks = [stack for wave in order.waves(register) for stack in wave]
    of_project = [stack for stack in stacks if stack.project == project]
    if not of_project:
        names = ", ".join(dict.fromkeys(stack.project for stack in stacks))
        raise UsageFault(f"stack {project!r}: no such project; wanted one of {names}")
    matching = [stack for stack in of_project if cell in (None, stack.cell)]
    if len(matching) != 1:
        names = ", ".join(stack.cell for stack in of_project if stack.cell) or "none, it is of the whole environment"
        raise UsageFault(f"stack {project}: cell {cell or 'not named'}; wanted --cell with one of: {names}")
    return matching[0]


def env(options: argparse.Namespace) -> int:
    """`asp env ENV`: lines for a shell, to be evaluated."""
    print(exports(load(options.env), options.cell))
    return OK


def exports(register: Register, cell: str | None = None) -> str:
    """Exports for the engine's own command; the passphrase goes into a file of its owner, never onto the terminal."""
    environment = register.environment.id
    if cell:
        register.cell(cell)
    first = cell or register.environment.cells[0].id
    of_cells = ", ".join(project for wave in order.WAVES for project, a_cell in wave if a_cell)
    name = Stack("", environment, cell).name
    values = provision.backend(register) | {
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase_file(register)),
        "PULUMI_STACK": name,
        "ASP_ENV": environment,
    }
    lines = [f'# eval "$(asp env {environment})" && cd stacks/network && pulumi preview']
    lines += [f"export {key}={shlex.quote(value)}" for key, value in values.items()]
    if not cell:
        lines.append(
            f"# Projects with a stack a cell ({of_cells}): add -s {first}.{environment}, or asp env --cell {first}"
        )
    return "\n".join(lines)


def passphrase_file(register: Register) -> Path:
    """The passphrase's file, written when it is missing or holds another one; `asp clean` removes it."""
    passphrase = vault.load(register).password("pulumi_passphrase")
    file = paths.environment_dir(register.environment.id) / PASSPHRASE
    if not file.is_file() or file.read_text(encoding="utf-8") != passphrase:
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{PASSPHRASE}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:  # mode 0600 from the beginning
            stream.write(passphrase)
        os.replace(temporary, file)
    return file

"""The command `asp`, also as `python -m centre`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from centre.faults import FAILED, INTERRUPTED, USAGE, CentreFault, UsageFault
from centre.verbs.cli.tree import parser
from inventory import paths
from inventory.errors import RegisterError

Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one verb; its exit code (see `asp --help`)."""
    options = parse(arguments)
    try:
        if options.checkout:
            in_checkout(options.verb)
        return verb(options.run)(options)
    except RegisterError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return USAGE
    except CentreFault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return fault.exit_code
    except PermissionError as error:
        print(f"error: may not use {error.filename}: run as the user whom .asp belongs to", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\ninterrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # nobody reads any more, as in `asp status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options of one verb; what it hands on is in `rest`, in its order."""
    tree = parser()
    options, rest = tree.parse_known_args(arguments)
    if rest and not options.passes:
        tree.error(f"{options.verb} does not know: {' '.join(rest)}. See asp {options.verb} --help")
    options.rest = rest
    options.env = getattr(options, "env", None) or os.environ.get("ASP_ENV") or "dev"
    return options


def in_checkout(name: str) -> None:
    """Refuse what needs the repository where only a wheel is installed: playbooks, image recipes, state beside them."""
    if not (paths.ROOT / "pyproject.toml").is_file():
        raise UsageFault(
            f"asp {name} needs a checkout of the repository; this asp is a wheel in {paths.ROOT}. "
            "Clone the repository, run make host there and use its .asp/venv/bin/asp"
        )


def verb(name: str) -> Verb:
    """The function of a verb, from its `module:function`."""
    module, function = name.split(":")
    action: Verb = getattr(importlib.import_module(module), function)
    return action


if __name__ == "__main__":
    sys.exit(main())

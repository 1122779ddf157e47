"""Functions and reads that programs may ask for (`docker.get_network` and the like)."""

from __future__ import annotations

from stacks.engine.docker.base import kind_of
from stacks.engine.docker.daemon import Daemon
from stacks.engine.docker.functions import FUNCTIONS
from stacks.engine.errors import EngineError, UnsupportedError


def refuse_unsupported(token: str) -> None:
    """UnsupportedError when the function is not one that the engine knows."""
    if token not in FUNCTIONS:
        raise UnsupportedError(
            f"function {token!r} is not covered by the embedded engine (covered: {', '.join(sorted(FUNCTIONS))}). "
            "Use the pulumi CLI with this stack: PULUMI=pulumi."
        )


def invoke(daemon: Daemon, token: str, args: dict) -> dict:
    """Result of a function."""
    refuse_unsupported(token)
    return FUNCTIONS[token](daemon, args)


def read_resource(daemon: Daemon, token: str, identity: str) -> dict:
    """Outputs of an existing object by id; EngineError when it is not there."""
    answer = kind_of(token).read(daemon, identity, {})
    if answer is None:
        raise EngineError(f"resource '{identity}' does not exist")
    return answer[1]

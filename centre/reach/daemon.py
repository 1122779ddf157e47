"""Why a Docker daemon does not answer, in words that name the next step."""

from __future__ import annotations

import os
from collections.abc import Iterator

SOCKET = "/var/run/docker.sock"


def place() -> str:
    """Where the daemon is looked for: the socket's path, or DOCKER_HOST when that is another kind of address."""
    return (os.environ.get("DOCKER_HOST") or SOCKET).removeprefix("unix://")


def reason(error: BaseException) -> str:
    """One message for a fault of docker-py: no permission, no daemon, or what the library says."""
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return f"may not use {place()}: run as root, or join group docker and sign in again"
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        return f"no Docker daemon answers at {place()}: run make up, which starts one, or set DOCKER_HOST"
    return f"no Docker daemon answers at {place()} ({error}): see its log, or run make up"


def _causes(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """The error, what it was raised from, and errors among its arguments: urllib3 wraps the socket's own there."""
    if depth > 8:
        return
    yield error
    inner = [
        error.__cause__,
        error.__context__,
        *error.args,
        *(a for arg in error.args if isinstance(arg, tuple) for a in arg),
    ]
    for item in inner:
        if isinstance(item, BaseException):
            yield from _causes(item, depth + 1)

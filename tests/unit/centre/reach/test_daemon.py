"""A daemon that cannot be used is one message with the right cause and the right next step."""

from __future__ import annotations

import pytest
from docker.errors import DockerException

from centre.faults import UNREACHABLE
from centre.reach import daemon
from centre.reach.runtime import Runtime, Unreachable
from inventory.register import load


def wrapped(inner):
    """As docker-py has it: the socket's fault inside urllib3's, whose text alone it keeps."""
    try:
        try:
            raise ConnectionError("Connection aborted.", inner)
        except ConnectionError as error:
            raise DockerException(f"Error while fetching server API version: {error}") from error
    except DockerException as error:
        return error


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (
            PermissionError(13, "Permission denied"),
            "may not use /var/run/docker.sock: run as root, or join group docker",
        ),
        (FileNotFoundError(2, "No such file"), "no Docker daemon answers at /var/run/docker.sock: run make up"),
        (ConnectionRefusedError(111, "refused"), "no Docker daemon answers at /var/run/docker.sock: run make up"),
        (TimeoutError("slow"), "no Docker daemon answers at /var/run/docker.sock (Error while"),
    ],
    ids=["permission", "no socket", "nobody listens", "other"],
)
def test_the_cause_is_named(monkeypatch, inner, message):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert daemon.reason(wrapped(inner)).startswith(message)


def test_the_real_library_ends_in_these_words(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(Unreachable, match=f"no Docker daemon answers at {tmp_path}/none.sock: run make up") as fault:
        Runtime(load("dev"))
    assert fault.value.exit_code == UNREACHABLE

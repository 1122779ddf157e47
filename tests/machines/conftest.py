"""Three machines just installed, then prepared: in check mode, for real, and once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.machines.fleet import Fleet, Play, fleet


@dataclass(frozen=True)
class Prepared:
    """The runs on machines just installed, and what check mode left there: files, by machine."""

    check: Play
    untouched: dict[str, bool]
    first: Play
    second: Play
    check_again: Play


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("machines")) as running:
        yield running


@pytest.fixture(scope="session")
def prepared(machines: Fleet) -> Prepared:
    check = machines.play("--check")
    untouched = {
        machine: not any(
            machines.host(machine).file(path).exists
            for path in ("/etc/asp", "/etc/docker", "/usr/sbin/dockerd", "/etc/sysctl.d/90-asp.conf")
        )
        for machine in machines.containers
    }
    return Prepared(check, untouched, machines.play(), machines.play(), machines.play("--check"))

"""The engine that the fencer asks is the daemon of this machine: it does what the fake of its unit tests does."""

from __future__ import annotations

import contextlib
import secrets
import sys

import docker
import pytest

from inventory import paths
from tests.contracts.fencer_engine import EngineContract
from tests.engine import image
from tests.engine.harness import client

with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sys, "path", [str(paths.ROOT / "stacks" / "images" / "etcd"), *sys.path])
    from asp_failover.engine import SERVICE_LABEL, Engine

SOCKET = "/var/run/docker.sock"
WAITS = ["sh", "-c", "while test ! -e /tmp/end; do sleep 0.1; done"]


class Machine:
    """Containers of their own name on the daemon, and one service without a network."""

    def __init__(self):
        self.api, self.engine = client(), Engine(SOCKET)
        self.node = f"eh-{secrets.token_hex(3)}-node"
        image.ensure()
        self.network = self.api.create_network(self.node, driver="bridge")["Id"]
        self.containers: list[str] = []
        spec = docker.types.TaskTemplate(docker.types.ContainerSpec(image.TAG, ["sleep", "600"]))
        self.service = f"{self.node}-service"
        self.api.create_service(spec, name=self.service, mode=docker.types.ServiceMode("replicated", 1))

    def start(self) -> str:
        networking = self.api.create_networking_config({self.node: self.api.create_endpoint_config()})
        container = self.api.create_container(
            image.TAG,
            WAITS,
            labels={SERVICE_LABEL: self.node},
            networking_config=networking,
            host_config=self.api.create_host_config(network_mode=self.node),
        )["Id"]
        self.containers.append(container)
        self.api.start(container)
        return container

    def freeze(self, container: str) -> None:
        self.api.pause(container)

    def stop_processes(self, container: str) -> None:
        self.api.kill(container, "SIGSTOP")

    def finish(self, container: str) -> None:
        job = self.api.exec_create(container, ["sh", "-c", "echo > /tmp/end"])
        self.api.exec_start(job["Id"])

    def remove(self, container: str) -> None:
        self.api.remove_container(container, force=True)

    def close(self) -> None:
        with contextlib.suppress(docker.errors.NotFound):
            self.api.remove_service(self.service)
        for container in self.containers:
            with contextlib.suppress(docker.errors.NotFound):
                self.api.remove_container(container, force=True)
        self.api.remove_network(self.network)


@pytest.fixture
def world():
    machine = Machine()
    yield machine
    machine.close()


class TestDaemon(EngineContract):
    pass

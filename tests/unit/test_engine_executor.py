"""Steps carried out against a daemon that is none: what is asked of it, recorded and told."""

from __future__ import annotations

import pytest

from stacks.engine.connections import Connections
from stacks.engine.deployment import Deployment, Options
from stacks.engine.docker import container
from stacks.engine.docker.daemon import DaemonError
from stacks.engine.errors import EngineError, ProviderError
from stacks.engine.events import Events
from stacks.engine.executor import Executor
from stacks.engine.goal import Goal
from stacks.engine.planner import Planner
from stacks.engine.state import Snapshot

VOLUME = "docker:index/volume:Volume"
URN = f"urn:pulumi:dev::p::{VOLUME}::v"


def plain(text: str) -> str:
    return text


class Refusing(Connections):
    """Every daemon refuses everything."""

    def daemon_of(self, reference: str):
        raise ProviderError("pool overlaps")


def test_a_creation_that_is_refused_is_told_in_the_clis_words():
    events = Events()
    deployment = Deployment("p", "dev", Snapshot(), Options(), events, None, plain, {})
    steps = Planner(deployment).plan(Goal(type=VOLUME, name="v", custom=True, inputs={"name": "v"}))
    with pytest.raises(EngineError, match="pool overlaps"):
        Executor(deployment, Refusing(deployment)).run_chain(steps)
    assert events.errors == ["1 error occurred:\n\t* pool overlaps"]
    assert deployment.failed.is_set() and deployment.result().resources == []


class WithoutImage:
    """A daemon that lacks an image, with a registry that has it or not."""

    def __init__(self, known: bool):
        self.known, self.pulled = known, []

    def find(self, path):
        return None

    def registry_auth(self, name):
        return {}

    def events(self, path, params, headers):
        self.pulled.append((params["fromImage"], params["tag"]))
        yield {"status": "Pulling"} if self.known else {"error": "manifest unknown"}

    def post(self, path, **options):
        raise DaemonError(500, "enough")


def test_a_missing_image_is_pulled_before_its_container_is_made():
    daemon = WithoutImage(known=True)
    with pytest.raises(DaemonError, match="Unable to create container: .*enough"):
        container.KIND.create(daemon, {"name": "c", "image": "reg:5000/i:2"}, None)
    assert daemon.pulled == [("reg:5000/i", "2")]


def test_an_image_that_cannot_be_had_is_named():
    with pytest.raises(DaemonError, match="container with image i:2: unable to pull image i:2: .*manifest unknown"):
        container.KIND.create(WithoutImage(known=False), {"name": "c", "image": "i:2"}, None)

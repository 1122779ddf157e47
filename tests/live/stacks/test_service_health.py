"""The pace of health checks in a container that has just started; an old one: tests/unit."""

import docker
import pytest

from stacks.components.service import PACE
from stacks.images.build import recipe


@pytest.fixture
def young():
    """A container that will be up three seconds after its start."""
    up_later = ["sh", "-c", "sleep 3; touch /tmp/up; sleep 60"]
    client = docker.from_env()
    container = client.containers.run(recipe.reference("base"), up_later, init=True, detach=True, tmpfs={"/tmp": ""})
    yield container
    container.remove(force=True)


@pytest.mark.parametrize(("file", "longest", "code"), [("up", "30", 0), ("never", "2", 1)])
def test_a_young_container_is_asked_until_it_answers_or_long_enough(young, file, longest, code):
    command = ["sh", "-c", PACE, "health", "1", "1", longest, "test", "-e", f"/tmp/{file}"]
    assert young.exec_run(command).exit_code == code

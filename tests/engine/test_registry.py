"""`RegistryImage`, `RemoteImage` and `getRegistryImage` with a registry that asks for a password."""

from __future__ import annotations

import json

import pytest

from tests.engine import image
from tests.engine.harness import client
from tests.engine.registry import PASSWORD, USER, Registry


@pytest.fixture
def registry():
    with Registry() as server:
        yield server


@pytest.fixture
def name(sandbox, registry):
    """A local image's name in the registry."""
    image.ensure()
    repository = f"{registry.address}/{sandbox.prefix}"
    client().tag("conformance/base:1", repository, "1")
    yield f"{repository}:1"
    client().remove_image(f"{repository}:1", noprune=True)


def program(name: str, password: str = PASSWORD, trigger: str = "1", provider: bool = False) -> str:
    """A push, with the credentials at the resource or at the provider."""
    address = name.split("/")[0]
    access = {"address": address, "username": USER, "password": password}
    body = f"access = {access!r}\n"
    if provider:
        body += "far = docker.Provider('far', host='unix:///var/run/docker.sock', registry_auth=[access])\n"
    own = "opts=pulumi.ResourceOptions(provider=far)" if provider else "auth_config=access"
    return body + (
        f"pushed = docker.RegistryImage('pushed', name={name!r}, keep_remotely=True, triggers={{'t': {trigger!r}}}, "
        f"{own})\npulumi.export('digest', pushed.sha256_digest)\n"
    )


def outputs(sandbox) -> dict:
    """The stack's outputs."""
    return json.loads(sandbox.run("stack", "output", "-s", "dev", "--json"))


@pytest.mark.parametrize("provider", [False, True])
def test_an_image_is_pushed_once(sandbox, registry, name, provider):
    sandbox.write(program(name, provider=provider))
    sandbox.up("--skip-preview")
    digest = outputs(sandbox)["digest"]
    assert (sandbox.prefix, digest) in registry.manifests and registry.pushes == 1
    assert sandbox.resources()["pushed"]["id"] == digest
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    sandbox.up("--skip-preview")
    assert registry.pushes == 1
    sandbox.write(program(name, trigger="2", provider=provider))
    assert "1 replaced" in sandbox.up("--skip-preview") and registry.pushes == 2
    sandbox.run("destroy", "-s", "dev", "--yes")
    assert (sandbox.prefix, digest) in registry.manifests


def test_an_image_that_is_gone_from_the_registry_is_pushed_again(sandbox, registry, name):
    sandbox.write(program(name))
    sandbox.up("--skip-preview")
    registry.manifests.clear()
    assert "pushed: gone" in sandbox.run("refresh", "-s", "dev", "--yes")
    sandbox.up("--skip-preview")
    assert registry.pushes == 2 and len(registry.manifests) == 2


def test_a_wrong_password_is_told_and_nothing_is_recorded(sandbox, registry, name):
    sandbox.write(program(name, password="wrong"))
    output = sandbox.up("--skip-preview", status=1)
    assert "Error pushing docker image: unauthorized" in output and "wrong" not in output
    assert "pushed" not in sandbox.resources() and registry.manifests == {}
    sandbox.write(program(name))
    sandbox.up("--skip-preview")
    assert registry.pushes == 1


def test_a_pushed_image_is_pulled_by_its_digest(sandbox, registry, name):
    sandbox.write(program(name))
    sandbox.up("--skip-preview")
    digest = outputs(sandbox)["digest"]
    client().remove_image(name, noprune=True)
    sandbox.write(
        program(name) + "far = docker.Provider('far', registry_auth=[access])\n"
        "there = pulumi.InvokeOptions(provider=far)\n"
        f"found = docker.get_registry_image_output(name={name!r}, opts=there)\n"
        f"pulled = docker.RemoteImage('pulled', name={name!r}, pull_triggers=[found.sha256_digest], "
        "keep_locally=True, opts=pulumi.ResourceOptions(provider=far))\n"
        "pulumi.export('found', found.sha256_digest)\npulumi.export('pulled', pulled.repo_digest)\n"
    )
    sandbox.up("--skip-preview")
    values = outputs(sandbox)
    assert values["found"] == digest and values["pulled"] == f"{name.removesuffix(':1')}@{digest}"
    assert client().inspect_image(name)["Id"] == image.ensure()
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")

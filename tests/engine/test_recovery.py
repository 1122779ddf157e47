"""After an error, a lost answer or a kill nothing is forgotten and nothing is made twice: the next run completes."""

from __future__ import annotations

import pytest

from tests.engine import image
from tests.engine.harness import client, volume
from tests.engine.proxy import FlakyDaemon

SERVICE = """
docker.Service({name!r}, name=f"{{P}}-s", labels=[{{"label": "v", "value": {label!r}}}],
    task_spec={{"container_spec": {{"image": "conformance/base:1", "commands": ["sleep", "600"]}}}},
    endpoint_spec={{"mode": "dnsrr"}}, converge_config={{"delay": "100ms", "timeout": "60s"}},
    opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="before")]))
"""
MADE = {
    "service": SERVICE.format(name="s", label="1"),
    "network": "docker.Network('s', name=f'{P}-s')\n",
    "overlay": "docker.Network('s', name=f'{P}-s', driver='overlay')\n",
    "config": "docker.ServiceConfig('s', name=f'{P}-s', data='aGVsbG8=')\n",
    "secret": "docker.Secret('s', name=f'{P}-s', data='aGVsbG8=')\n",
    "container": "docker.Container('s', name=f'{P}-s', image='conformance/base:1', command=['sleep', '60'])\n",
}


def identities(sandbox) -> list[str]:
    """Ids of the daemon's objects of this sandbox that are called `s`."""
    api, name = client(), f"{sandbox.prefix}-s"
    rows = [item["ID"] for item in [*api.services(), *api.configs(), *api.secrets()] if item["Spec"]["Name"] == name]
    rows += [item["Id"] for item in api.networks(names=[name])]
    return rows + [item["Id"] for item in api.containers(all=True) if f"/{name}" in item["Names"]]


@pytest.fixture
def flaky(tmp_path):
    image.ensure()

    def start(fail_on: str, how: str, after: int = 0) -> FlakyDaemon:
        return FlakyDaemon(tmp_path / f"{how}.sock", fail_on, after, how)

    return start


@pytest.mark.parametrize("how", ["lose", "late"])
@pytest.mark.parametrize("kind", sorted(MADE))
def test_a_creation_whose_answer_is_lost_is_taken_over(sandbox, flaky, kind, how):
    """`late`: the daemon carries it out only after the engine has gone, as after a kill."""
    sandbox.write(MADE[kind])
    with flaky(r"POST /v[^/]*/\w+/create", how) as daemon:
        output = sandbox.up("--skip-preview", status=1, DOCKER_HOST=daemon.url)
    assert "Cannot connect to the Docker daemon" in output
    assert "s" not in sandbox.resources()
    output = sandbox.up("--skip-preview")
    if kind == "container":  # half a one is of no use: it is removed and made anew, without a word
        assert "the last run was interrupted" not in output and "s created" in output
    else:
        assert "the last run was interrupted" in output and "s created" not in output
    assert identities(sandbox) == [sandbox.resources()["s"]["id"]]
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")


LOOK_AGAIN = {
    "service": r"GET /v[^/]*/services/",
    "network": r"GET /v[^/]*/networks/",
    "config": r"GET /v[^/]*/configs/",
    "container": r"(GET|DELETE) /v[^/]*/containers/",
}


@pytest.mark.parametrize("kind", sorted(LOOK_AGAIN))
def test_an_object_that_is_made_and_cannot_be_completed_is_taken_over(sandbox, flaky, kind):
    sandbox.write(MADE[kind])
    with flaky(LOOK_AGAIN[kind], "error") as daemon:
        output = sandbox.up("--skip-preview", status=1, DOCKER_HOST=daemon.url)
    assert f"{sandbox.prefix}-s is made, but it cannot be completed" in output and "out of order" in output
    assert "s" not in sandbox.resources() and len(identities(sandbox)) == 1
    sandbox.up("--skip-preview")
    assert identities(sandbox) == [sandbox.resources()["s"]["id"]]
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")


def test_a_refused_creation_leaves_another_ones_object_alone(sandbox):
    """The object is as young as the refusal, and still it is not this stack's: no later run may take it."""
    identity = client().create_network(f"{sandbox.prefix}-s")["Id"]
    sandbox.write(MADE["network"])
    for _ in range(2):
        assert "already exists" in sandbox.up("--skip-preview", status=1)
    assert "s" not in sandbox.resources() and identities(sandbox) == [identity]
    sandbox.run("destroy", "-s", "dev", "--yes")
    assert identities(sandbox) == [identity]


def test_a_renamed_resource_whose_update_fails_stays_recorded(sandbox, flaky):
    sandbox.write(SERVICE.format(name="before", label="1"))
    sandbox.up("--skip-preview")
    before = identities(sandbox)
    sandbox.write(SERVICE.format(name="after", label="2"))
    with flaky(r"POST /v[^/]*/services/[^/]*/update", "error") as daemon:
        assert "out of order" in sandbox.up("--skip-preview", status=1, DOCKER_HOST=daemon.url)
    assert sandbox.resources()["after"]["id"] == before[0]
    sandbox.up("--skip-preview")
    assert identities(sandbox) == before and client().inspect_service(before[0])["Spec"]["Labels"] == {"v": "2"}


@pytest.mark.parametrize("first", ["the old name", "the alias"])
def test_a_recorded_resource_is_not_taken_by_its_name_and_by_an_alias_in_one_run(sandbox, first):
    sandbox.write(volume("a"))
    sandbox.up()
    volume_a = "a = docker.Volume('a', name=f'{P}-a', opts=pulumi.ResourceOptions(depends_on=[%s]))\n"
    aliased = (
        "b = docker.Volume('b', name=f'{P}-a', opts=pulumi.ResourceOptions(depends_on=[%s],"
        " aliases=[pulumi.Alias(name='a')]))\n"
    )
    sandbox.write(volume_a % "" + aliased % "a" if first == "the old name" else aliased % "" + volume_a % "b")
    assert "conflicting with alias on resource with URN" in sandbox.up("--skip-preview", status=1)
    assert sandbox.volumes() == ["a"]
    sandbox.write(aliased % "")
    sandbox.up("--skip-preview")
    assert list(name for name in sandbox.resources() if name in "ab") == ["b"] and sandbox.volumes() == ["a"]


@pytest.mark.parametrize("how", ["error", "hang", "lose", "vanish"])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_a_failing_update_or_deletion_is_completed_by_the_next_run(sandbox, flaky, verb, how):
    sandbox.write(SERVICE.format(name="s", label="1"))
    sandbox.up("--skip-preview")
    before = identities(sandbox)
    sandbox.write(SERVICE.format(name="s", label="2") if verb == "update" else "")
    fail_on = r"POST /v[^/]*/services/[^/]*/update" if verb == "update" else r"DELETE /v[^/]*/services/"
    with flaky(fail_on, how) as daemon:
        sandbox.up("--skip-preview", status=1, DOCKER_HOST=daemon.url, DOCKER_CLIENT_TIMEOUT="2")
    sandbox.up("--skip-preview")
    assert identities(sandbox) == (before if verb == "update" else [])
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")
    if verb == "update":
        assert client().inspect_service(before[0])["Spec"]["Labels"] == {"v": "2"}


def test_a_refresh_that_fails_leaves_the_state_as_it_was(sandbox, flaky):
    sandbox.write(volume("a") + volume("b"))
    sandbox.up()
    sandbox.run("refresh", "-s", "dev", "--yes")
    before = sandbox.resources()
    for how, reason in (("error", "out of order"), ("hang", "did not answer"), ("vanish", "Cannot connect")):
        with flaky(r"GET /v[^/]*/volumes/", how, after=1) as daemon:
            output = sandbox.run(
                "refresh", "-s", "dev", "--yes", status=1, DOCKER_HOST=daemon.url, DOCKER_CLIENT_TIMEOUT="2"
            )
        assert reason in output
        assert sandbox.resources() == before

"""Removing an environment kills what runs of it, and nothing of another one."""

from types import SimpleNamespace

from docker.errors import APIError

from centre.verbs import services


class Container:
    def __init__(self, service, ended=False):
        self.attrs = {"Labels": {services.SERVICE: service}}
        self.ended, self.killed = ended, False

    def kill(self):
        if self.ended:
            raise APIError("is not running")
        self.killed = True


def test_only_its_own_containers_are_killed():
    ours, dead, theirs = Container("asp-test-edge"), Container("asp-test-pki", ended=True), Container("asp-tests-edge")
    client = SimpleNamespace(
        services=SimpleNamespace(list=lambda **_: []),
        containers=SimpleNamespace(list=lambda **_: [ours, dead, theirs]),
    )
    names = SimpleNamespace(daemon_name=lambda label: f"asp-test-{label}")
    register = SimpleNamespace(environment=SimpleNamespace(id="test"), names=names)
    assert services.kill(SimpleNamespace(client=client, daemons=lambda: [client], register=register)) == [ours, dead]
    assert (ours.killed, theirs.killed) == (True, False)


def test_what_runs_on_another_machine_is_killed_as_well():
    here, there = Container("asp-test-edge"), Container("asp-test-edge")

    def daemon(container):
        return SimpleNamespace(containers=SimpleNamespace(list=lambda **_: [container]))

    manager = SimpleNamespace(services=SimpleNamespace(list=lambda **_: []))
    names = SimpleNamespace(daemon_name=lambda label: f"asp-test-{label}")
    register = SimpleNamespace(environment=SimpleNamespace(id="test"), names=names)
    runtime = SimpleNamespace(client=manager, daemons=lambda: [daemon(here), daemon(there)], register=register)
    assert services.kill(runtime) == [here, there] and here.killed and there.killed

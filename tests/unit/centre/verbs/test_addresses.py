"""A network that runs is never replaced by a plan, and no foreign one lies in an environment's addresses."""

import pytest

from centre.verbs import addresses
from centre.verbs.progress import StepFailed
from inventory.register import load


def described(name: str, subnet: str | None, env: str | None = None) -> dict:
    """A network as the daemon describes it."""
    config = [{"Subnet": subnet, "Gateway": "unused"}] if subnet else None
    return {"Name": name, "Labels": {"asp.env": env} if env else None, "IPAM": {"Config": config}}


@pytest.fixture(scope="module")
def register():
    return load("dev")


@pytest.fixture
def running(register):
    """Networks of a sound environment `dev`, beside Docker's own and the other environment's."""
    own = [described(network.name.name, network.name.subnet, "dev") for network in register.networks]
    theirs = [described("bridge", "172.17.0.0/16"), described("host", None), described("six", "fd00::/64")]
    return [*own, *theirs, described("asp-test-pki", "10.62.5.0/24", "test")]


def test_what_the_plan_says_is_no_conflict(register, running):
    assert len(running) >= 10 and not list(addresses.conflicts(register, running))


def test_a_network_of_a_former_plan_is_not_replaced(register, running):
    running[0]["IPAM"]["Config"][0]["Subnet"] = "10.61.1.0/24"
    (conflict,) = addresses.conflicts(register, running)
    assert f"{running[0]['Name']}: seen 10.61.1.0/24, wanted" in conflict
    assert "no network is replaced under its services" in conflict and "playbooks/leave.yml" in conflict


def test_a_foreign_network_in_our_addresses_is_named(register, running):
    (conflict,) = addresses.conflicts(register, [*running, described("compose_default", "10.61.200.0/24")])
    assert "compose_default of this machine: seen 10.61.200.0/24, wanted none inside 10.61.0.0/16" in conflict


def test_a_network_that_the_register_no_longer_has_is_left_to_its_stack(register, running):
    assert not list(addresses.conflicts(register, [*running, described("asp-dev-gone", "10.61.1.0/24", "dev")]))


def test_the_verb_stops_before_anything_is_touched(register, running, monkeypatch):
    running[0]["IPAM"]["Config"][0]["Subnet"] = "10.61.1.0/24"

    class Client:
        networks = property(lambda self: self)

        def list(self):
            return [type("Network", (), {"attrs": attrs}) for attrs in running]

    monkeypatch.setattr(addresses, "Runtime", lambda _: type("Runtime", (), {"client": Client()}))
    with pytest.raises(StepFailed, match="another address plan.*\nNothing was touched"):
        addresses.keeps_its_subnets(register)

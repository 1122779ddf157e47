"""A network that runs is never replaced by a plan, and no foreign one lies in an environment's addresses."""

import pytest

from centre.verbs import addresses
from centre.verbs.progress import StepFailed
from inventory.register import load


def described(name: str, subnet: str | None, env: str | None = None, internal: bool = False) -> dict:
    """A network as the daemon describes it."""
    config = [{"Subnet": subnet, "Gateway": "unused"}] if subnet else None
    return {"Name": name, "Internal": internal, "Labels": {"asp.env": env} if env else None, "IPAM": {"Config": config}}


@pytest.fixture(scope="module")
def register():
    return load("dev")


@pytest.fixture
def running(register):
    """Networks of a sound environment `dev`, beside Docker's own and the other environment's."""
    own = [described(n.name.name, n.name.subnet, "dev", n.internal) for n in register.networks]
    theirs = [described("bridge", "172.17.0.0/16"), described("host", None), described("six", "fd00::/64")]
    return [*own, *theirs, described("asp-test-pki", "10.62.5.0/24", "test")]


def test_what_the_plan_says_is_no_conflict(register, running):
    assert len(running) >= 10 and not list(addresses.conflicts(register, running))


def test_a_network_of_a_former_plan_is_not_replaced(register, running):
    running[0]["IPAM"]["Config"][0]["Subnet"] = "10.61.1.0/24"
    (conflict,) = addresses.conflicts(register, running)
    assert f"{running[0]['Name']}: seen 10.61.1.0/24, wanted" in conflict
    assert "no network is replaced under its services" in conflict and "playbooks/leave.yml" in conflict


def test_a_network_with_a_way_out_that_the_register_does_not_give_it_is_named_with_the_way_on(register, running):
    by_name = {network["Name"]: network for network in running}
    by_name["asp-dev-pki"]["Internal"] = False
    (conflict,) = addresses.conflicts(register, running)
    assert "networks asp-dev-pki: seen internal or open otherwise than the register says" in conflict
    assert "asp down dev" in conflict and "asp up dev" in conflict


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
            return [type("Network", (), {"id": attrs["Name"], "attrs": attrs}) for attrs in running]

    monkeypatch.setattr(addresses, "Runtime", lambda _: type("Runtime", (), {"daemons": lambda self: [Client()]})())
    with pytest.raises(StepFailed, match="another address plan.*\nNothing was touched"):
        addresses.keeps_its_subnets(register)

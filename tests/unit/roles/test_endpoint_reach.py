"""Whether a workstation reaches the centre: every fault is told, and only the centre's own certificate counts."""

import ssl

import pytest

from tests.support.modules import endpoint_module

reach = endpoint_module("reach")
ADDRESS = "10.0.0.10"
PARAMS = {"hosts": ["a.test", "b.test"], "port": 443, "address": ADDRESS, "root": "", "resolve": True, "timeout": 1}


@pytest.fixture
def network(monkeypatch):
    """Host → addresses; host → what a handshake raises."""
    addresses, failures = {"a.test": [ADDRESS], "b.test": [ADDRESS]}, {}
    monkeypatch.setattr(reach, "names", lambda host: addresses[host])

    def handshake(host, address, port, root, timeout):
        if host in failures:
            raise failures[host]
        return {"address": address}

    monkeypatch.setattr(reach, "handshake", handshake)
    return addresses, failures


def test_hosts_that_lead_to_the_centre_are_reached(network):
    assert reach.examine(PARAMS) == ({"a.test": {"address": ADDRESS}, "b.test": {"address": ADDRESS}}, [])


@pytest.mark.parametrize("addresses", [[], ["10.9.9.9"], [ADDRESS, "10.9.9.9"]])
def test_a_name_that_leads_elsewhere_or_also_elsewhere_is_a_fault(network, addresses):
    network[0]["a.test"] = addresses
    hosts, faults = reach.examine(PARAMS)
    assert list(hosts) == ["b.test"], "the others are looked at all the same"
    assert len(faults) == 1 and f"wanted {ADDRESS}" in faults[0]
    assert reach.examine(PARAMS | {"resolve": False})[1] == []


def test_a_certificate_of_somebody_else_and_a_closed_port_are_told_apart(network):
    network[1]["a.test"] = ssl.SSLCertVerificationError(1, "verify failed")
    network[1]["a.test"].verify_message = "self-signed certificate"
    network[1]["b.test"] = ConnectionRefusedError("refused")
    hosts, (untrusted, closed) = reach.examine(PARAMS)
    assert hosts == {} and "not trusted" in untrusted and "no answer at 10.0.0.10 port 443" in closed


def test_a_handshake_is_with_the_host_by_the_centres_root_alone(monkeypatch):
    calls = []

    class Context:
        def wrap_socket(self, plain, server_hostname):
            calls.append(server_hostname)
            raise OSError("enough")

    class Socket:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(reach.ssl, "create_default_context", lambda cadata: calls.append(cadata) or Context())
    monkeypatch.setattr(reach.socket, "create_connection", lambda *_: Socket())
    with pytest.raises(OSError, match="enough"):
        reach.handshake("a.test", ADDRESS, 443, "ROOT", 1)
    assert calls == ["ROOT", "a.test"]


@pytest.mark.parametrize(
    ("offset", "wrong"), [(None, False), (0, False), (5, False), (-5, False), (5.1, True), (-5.1, True)]
)
def test_a_clock_that_is_ahead_or_behind_is_a_fault(offset, wrong):
    assert bool(reach.clock_fault(offset, 5)) is wrong

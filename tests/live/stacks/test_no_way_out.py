"""Whoever takes an internal service reaches nothing beyond its networks: not the world, not the machine it runs on."""

from __future__ import annotations

import json
import subprocess

import pytest

OURS = "16054"
# An address of the block for documentation (RFC 5737), and a name server of the world's.
OUTSIDE = [("192.0.2.1", 443), ("9.9.9.9", 53)]
TRY = """
import json, socket, sys, time
answers = {}
for host, port in json.loads(sys.argv[1]):
    try:
        socket.create_connection((host, port), timeout=3).close()
        answers[f"{host}:{port}"] = "answers"
    except OSError as error:
        answers[f"{host}:{port}"] = error.strerror or str(error)
began = time.monotonic()
try:
    answers["name"] = socket.gethostbyname("example.org")
except OSError as error:
    answers["name"] = "unknown"
answers["seconds"] = time.monotonic() - began
answers["routes"] = [line.split()[1] for line in open("/proc/net/route").read().splitlines()[1:]]
print(json.dumps(answers))
"""


def of_this_machine(register) -> list[tuple[str, int]]:
    """The machine's own addresses with the ports that it publishes."""
    output = subprocess.run(["ip", "-j", "-4", "address"], capture_output=True, text=True, check=True)
    addresses = [info["local"] for link in json.loads(output.stdout) for info in link["addr_info"]]
    ports = [register.environment.ports.https, *(register.ssh_port(station) for _, station in register.workstations())]
    return [(address, port) for address in addresses if not address.startswith("127.") for port in ports]


@pytest.mark.parametrize("system", ["portal", "irat"])
def test_nothing_outside_answers_an_app_server(register, runtime, system):
    service = register.cell(register.municipality(OURS).cell).app(system)
    places = [*OUTSIDE, *of_this_machine(register)]
    assert len(places) >= 6
    answer = runtime.check(service, ["python", "-", json.dumps(places)], stdin=TRY, timeout=120)
    answers = json.loads(answer)
    assert {place: answers[f"{place[0]}:{place[1]}"] for place in places} == dict.fromkeys(
        places, "Network is unreachable"
    )
    assert "00000000" not in answers["routes"], "a default route"
    assert answers["name"] == "unknown", "names of the world are answered"
    assert answers["seconds"] < 4, "a name that is not known holds nobody up"


def test_the_networks_of_the_register_are_what_runs(register, runtime):
    networks = {network.name: network.attrs["Internal"] for network in runtime.client.networks.list()}
    expected = {network.name.name: network.internal for network in register.networks}
    assert {name: networks[name] for name in expected} == expected
    assert sum(expected.values()) >= 7

"""Role endpoint_connectivity on a computer just installed, with a centre in the test itself."""

import pytest

from inventory.vault import certificates

ROLE = "endpoint_connectivity"


@pytest.fixture(scope="module")
def converged(workstation, centre):
    """Check mode first; then once, and once more."""
    before = workstation.run("cat", "/etc/hosts")
    check = workstation.converge(ROLE, "--check", **centre.variables)
    assert workstation.run("cat", "/etc/hosts") == before
    return check, workstation.converge(ROLE, **centre.variables), workstation.converge(ROLE, **centre.variables)


def test_check_mode_tells_what_is_then_done_once(converged, workstation):
    assert [(run.code, run.changed) for run in converged] == [(0, 1), (0, 1), (0, 0)], [run.text for run in converged]
    assert "+# BEGIN asp scenario" in converged[0].text
    workstation.verify(ROLE)


def test_a_centre_with_another_root_is_not_trusted(converged, workstation, centre):
    other = centre.variables | {"centre_root": certificates.root("other").certificate}
    result = workstation.converge(ROLE, **other)
    assert (result.code, result.changed) == (2, 0)
    for host in centre.variables["centre_hosts"]:
        assert f"{host}: certificate not trusted" in result.text, "every host is named"


def test_a_centre_that_does_not_answer_is_told(converged, workstation, centre):
    result = workstation.converge(ROLE, **centre.variables | {"centre_port": 1})
    assert result.code == 2 and "port 1 " in result.text and "Is the centre up, the port open?" in result.text


def test_a_clock_that_is_wrong_is_told(converged, workstation, centre):
    result = workstation.converge(ROLE, **centre.variables, endpoint_connectivity_clock_skew=-1)
    assert result.code == 2 and "Switch time synchronisation on" in result.text

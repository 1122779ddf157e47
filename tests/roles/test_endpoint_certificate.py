"""Role endpoint_certificate on a computer just installed, with an authority in the test itself."""

import pytest

ROLE = "endpoint_certificate"
FOLDER = "/home/ugyintezo/.config/asp"


@pytest.fixture(scope="module")
def enrol(workstation, centre):
    """Runs the scenario with a token; `token` is new each time unless it is given."""
    count = iter(range(100))

    def run(*options, token=None):
        token = token or f"one-time-{next(count)}"
        return workstation.converge(ROLE, *options, **centre.variables, centre_token=token)

    return run


@pytest.fixture(scope="module")
def converged(workstation, centre, enrol):
    """Check mode first; then once, and once more."""
    gateway = workstation.container.attrs["NetworkSettings"]["Gateway"]
    workstation.run("sh", "-c", f"echo '{gateway} ca.asp.test' >> /etc/hosts")
    check = enrol("--check")
    assert not workstation.host.file(FOLDER).exists and not centre.used
    return check, enrol(), enrol()


def serial(workstation):
    return int(workstation.run("openssl", "x509", "-in", f"{FOLDER}/t16054.crt", "-noout", "-serial").split("=")[1], 16)


def test_check_mode_tells_what_is_then_done_once(converged, workstation, centre):
    assert [(run.code, run.changed) for run in converged] == [(0, 2), (0, 2), (0, 0)], [run.text for run in converged]
    for run in converged[:2]:
        assert "t16054 enrolled (was missing)" in run.text
    assert len(centre.used) == 1, "one certificate, one token"
    workstation.verify(ROLE)


def test_a_revoked_certificate_is_enrolled_again(converged, workstation, centre, enrol):
    before = serial(workstation)
    centre.revoked.append(before)
    again = enrol()
    assert (again.code, again.changed) == (0, 1) and "enrolled (was revoked)" in again.text, again.text
    assert serial(workstation) != before
    workstation.verify(ROLE)


def test_a_used_token_is_refused_with_the_remedy_and_the_old_certificate_stays(converged, workstation, centre, enrol):
    token = next(iter(centre.used))
    before = serial(workstation)
    centre.revoked.append(before)
    result = enrol(token=token)
    assert result.code == 2 and "t16054: enrolment was refused by ca.asp.test (401: token already used)" in result.text
    assert "run the playbook again" in result.text and token not in result.text
    assert serial(workstation) == before
    centre.revoked.remove(before)


def test_an_account_that_is_not_there_is_refused(converged, workstation, centre):
    result = workstation.converge(
        ROLE, **centre.variables, centre_token="x", endpoint_certificate_account="nobody-here"
    )
    assert result.code == 2 and "account nobody-here: not on this machine" in result.text

"""Role endpoint_browser on a computer just installed."""

import json

import pytest

ROLE = "endpoint_browser"
CHROMIUM = "/etc/chromium/policies/managed/asp.json"


@pytest.fixture(scope="module")
def converged(workstation):
    """Check mode first; then once, and once more."""
    workstation.run("mkdir", "-p", "/etc/chromium/policies/managed")
    workstation.write(CHROMIUM, '{"BookmarkBarEnabled": true}')
    check = workstation.converge(ROLE, "--check")
    assert workstation.run("cat", CHROMIUM) == '{"BookmarkBarEnabled": true}'
    return check, workstation.converge(ROLE), workstation.converge(ROLE)


def test_check_mode_tells_what_is_then_done_once(converged, workstation):
    check, first, second = converged
    assert [(run.code, run.changed) for run in converged] == [(0, 1), (0, 1), (0, 0)], [run.text for run in converged]
    for run in (check, first):
        assert '+  "PasswordManagerEnabled": false,' in run.text
    workstation.verify(ROLE)


def test_what_municipal_it_set_stays(converged, workstation):
    assert json.loads(workstation.run("cat", CHROMIUM))["BookmarkBarEnabled"] is True


def test_a_misspelt_policy_is_refused_by_name(converged, workstation):
    before = workstation.run("cat", CHROMIUM)
    misspelt = {"chromium": {"PasswordManagerEnable": False}}
    result = workstation.converge(ROLE, endpoint_browser_policies=misspelt)
    assert (result.code, result.changed) == (2, 0)
    assert "chromium policy PasswordManagerEnable: not known to this role" in result.text
    assert workstation.run("cat", CHROMIUM) == before

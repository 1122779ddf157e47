"""Fixtures of tests that run playbooks."""

import pytest

from tests.live.roles.playbooks import Playbooks


@pytest.fixture(scope="session")
def start(register):
    """Starts a playbook in its own process, which says when each task starts."""
    playbooks = Playbooks(register.environment.id)
    return lambda name, **variables: playbooks.start(name, "-v", **variables)


@pytest.fixture(scope="session")
def play(register):
    """Runs a playbook to its end."""
    return Playbooks(register.environment.id).play

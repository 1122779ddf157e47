"""Fixtures of tests that run playbooks."""

import pytest

from tests.live.roles.playbooks import Playbooks


@pytest.fixture(scope="session")
def start(register):
    """Starts a playbook in its own process."""
    return Playbooks(register.environment.id).start


@pytest.fixture(scope="session")
def play(register):
    """Runs a playbook to its end."""
    return Playbooks(register.environment.id).play

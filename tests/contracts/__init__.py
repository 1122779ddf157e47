"""What a fake and the real thing both do: the same tests run against either.

A contract is a class of tests whose fixture `world` or the like each side makes in its own way. The fake's side runs in
tests/unit, the real one's where the real thing is: tests/engine (one container on the daemon), tests/live.
"""

import pytest

NAMES = ("connection", "etcd", "fencer_engine", "keycloak", "patroni")
pytest.register_assert_rewrite(*(f"tests.contracts.{name}" for name in NAMES))

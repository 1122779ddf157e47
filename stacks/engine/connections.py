"""The Docker daemons of a run: one connection for each provider."""

from __future__ import annotations

import threading

from stacks.engine import urn as urns
from stacks.engine.deployment import Deployment
from stacks.engine.docker.daemon import Daemon
from stacks.engine.values import reveal


class Connections:
    """Daemons by the provider that resources name. Each is connected when it is first asked for something."""

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self._daemons: dict[str, Daemon] = {}
        self._lock = threading.Lock()

    def daemon_of(self, reference: str) -> Daemon:
        """The daemon of a provider reference `<urn>::<id>`; the default daemon when the provider is not recorded."""
        deployment = self._deployment
        urn = deployment.current_urn(urns.provider_urn(reference))
        with self._lock:
            if urn not in self._daemons:
                provider = deployment.news.get(urn) or deployment.olds.get(urn)
                self._daemons[urn] = Daemon(reveal(provider.inputs) if provider else {})
            return self._daemons[urn]

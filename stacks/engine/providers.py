"""Default providers, which the engine registers by itself when a resource names none."""

from __future__ import annotations

from typing import Any

from stacks.engine import urn as urns
from stacks.engine.deployment import Deployment
from stacks.engine.executor import Executor
from stacks.engine.goal import Goal
from stacks.engine.planner import Planner


class Providers:
    """The default provider of each package and version, made on first use."""

    def __init__(self, deployment: Deployment, planner: Planner, executor: Executor):
        self._deployment = deployment
        self._planner = planner
        self._executor = executor
        self._references: dict[tuple[str, str], str] = {}

    def default(self, package: str, version: str) -> str:
        """Reference of the package's default provider."""
        with self._deployment.lock:
            key = (package, version)
            if key not in self._references:
                self._references[key] = self._make(package, version)
            return self._references[key]

    def _make(self, package: str, version: str) -> str:
        name = "default" if not version or package == "pulumi" else f"default_{version.replace('.', '_')}"
        prefix = f"{package}:"
        settings = self._deployment.config
        inputs: dict[str, Any] = {
            key.removeprefix(prefix): value for key, value in settings.items() if key.startswith(prefix)
        }
        if version and package != "pulumi":
            inputs = {"__internal": {}, **inputs, "version": version}
        goal = Goal(type=urns.PROVIDER_PREFIX + package, name=name, custom=True, inputs=inputs)
        provider = self._executor.run_chain(self._planner.plan(goal))
        return f"{provider.urn}::{provider.id}"

"""Loads the SDK without what a run does not need.

Measured in processor time on one machine: the SDK's package `pulumi` takes 0.17 s to load, of which its dynamic
providers, its automation API and OpenTelemetry's instrumentation of gRPC take nearly half, although a deployment uses
none of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any


class Stand(types.ModuleType):
    """Stands for a module in `sys.modules`; the first look at what is in it loads the real one."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute != "__path__":  # which an import of a module in it looks at
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)


def bare_sdk() -> None:
    """Make `pulumi.runtime.proto` importable alone, for the engine's own process, which never runs programs.

    Does nothing when the SDK is loaded or not installed.
    """
    folder = _folder("pulumi")
    if folder is None:
        return
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package


def lean_sdk() -> None:
    """Leave out of the SDK what programs rarely use, for the program's process. A program that uses it gets it."""
    if _folder("pulumi") is not None:
        for name in ("pulumi.automation", "pulumi.dynamic"):
            sys.modules[name] = Stand(name)
        # Loaded for its side effect only: spans of each call, which nobody collects here.
        sys.modules["pulumi.runtime._instrumentation"] = types.ModuleType("pulumi.runtime._instrumentation")


def lean_docker() -> None:
    """Leave paramiko out of the Docker client, for the engine's own process: half of the client's 0.28 s.

    The engine reaches a daemon behind SSH with the `ssh` command, as the provider does.
    """
    sys.modules["docker.transport.sshconn"] = None  # type: ignore[assignment]  # importing it fails, which docker allows


def _folder(package: str) -> Path | None:
    """Folder of a package, None when it is loaded already or not installed."""
    if package in sys.modules:
        return None
    spec = importlib.util.find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None

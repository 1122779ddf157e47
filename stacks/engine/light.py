"""Loads the SDK's protocol modules without the SDK itself.

The engine needs only `pulumi.runtime.proto`; importing the package `pulumi` for it costs 0.12 s of processor time
(measured), as much as a whole run without changes. The command line, which never runs programs in its own process,
therefore puts bare packages in the place of `pulumi` and `pulumi.runtime`.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def bare_sdk() -> None:
    """Make `pulumi.runtime.proto` importable alone. Does nothing when the SDK is loaded or not installed."""
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0])
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package

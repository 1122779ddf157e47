"""Plugins of the project's collections as Python modules, for tests of what they decide."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from tests.support.roles import COLLECTIONS

if str(COLLECTIONS) not in sys.path:  # as Ansible imports them
    sys.path.insert(0, str(COLLECTIONS))


def endpoint_module(name: str) -> ModuleType:
    """A module of asp.endpoint, as a workstation runs it."""
    return importlib.import_module(f"ansible_collections.asp.endpoint.plugins.modules.{name}")


def centre_module(name: str) -> ModuleType:
    """A module of asp.centre: an action's documentation, or what runs on a machine."""
    return importlib.import_module(f"ansible_collections.asp.centre.plugins.modules.{name}")


def documentation(name: str) -> str:
    """What asp.centre says of one of its actions and modules."""
    return str(centre_module(name).DOCUMENTATION)


def action(name: str) -> ModuleType:
    """An action of asp.centre."""
    return importlib.import_module(f"ansible_collections.asp.centre.plugins.action.{name}")

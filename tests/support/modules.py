"""Ansible modules and actions as Python modules, for tests of what they decide."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from inventory import paths


def load_module(role: str, name: str, folder: str = "library") -> ModuleType:
    """`roles/<role>/<folder>/<name>.py`; its role's module_utils are found as Ansible finds them."""
    for helper in sorted((paths.ROOT / "roles" / role / "module_utils").glob("*.py")):
        _load(f"ansible.module_utils.{helper.stem}", helper)
    return _load(f"role_{role}_{name}", paths.ROOT / "roles" / role / folder / f"{name}.py")


def load_file(file: Path) -> ModuleType:
    """An action of a role or of the playbooks."""
    return _load(f"action_{file.stem}", file)


def _load(name: str, file: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]

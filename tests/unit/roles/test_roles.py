"""A role says the same in its defaults, its specification, its README and the action or module under it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from centre.action import arguments
from inventory import paths
from tests.support.modules import action, endpoint_module
from tests.support.roles import ENDPOINT, defaults, roles, specification, table

ROLES = roles()
MODULES = sorted(file.stem for file in (ENDPOINT / "plugins" / "modules").glob("*.py"))
each = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


KEYS = {"type", "elements", "choices", "default", "required", "options"}


def tasks(role) -> list[dict[str, Any]]:
    return yaml.safe_load((role / "tasks" / "main.yml").read_text(encoding="utf-8"))


def test_there_are_roles_and_modules():
    assert [role.name for role in ROLES] == [
        "tenant_backup", "tenant_database", "tenant_edge", "tenant_identity",
        "machine_base", "machine_docker", "machine_firewall", "machine_swarm",
        "endpoint_browser", "endpoint_certificate", "endpoint_connectivity",
    ]  # fmt: skip
    assert MODULES == ["browser", "certificate", "hosts", "reach", "trust"]


@each
def test_its_defaults_are_those_of_its_specification(role):
    options = specification(role)["options"]
    assert {name: option["default"] for name, option in options.items() if "default" in option} == defaults(role)
    for name, option in options.items():
        assert name.startswith(f"{role.name}_") and option["type"] and option["description"]
        assert bool(option.get("required")) != ("default" in option), f"{name}: either required, or a default"


@each
def test_its_readme_holds_purpose_arguments_example_and_scenario(role):
    text = (role / "README.md").read_text(encoding="utf-8")
    assert table(role) in text, f"{role.name}/README.md: put this table there\n{table(role)}"
    assert re.findall(r"^#+ .*", text, re.M) == [f"# {role.name}", "## Arguments", "## Example", "## Scenario"]
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    (task,) = yaml.safe_load(example)
    values = task.get("vars") or {name: value for name, value in task.items() if name != "role"}
    options = specification(role)["options"]
    assert {name for name, option in options.items() if option.get("required")} <= set(values) <= set(options)
    for file in re.findall(r"`(tests/\S+?\.py)`", text):
        assert (paths.ROOT / file).is_file(), f"no {file}"
    assert "tests/" in text


@pytest.mark.parametrize("role", ROLES[:4], ids=lambda role: role.name)
def test_a_tenant_roles_specification_is_its_actions(role):
    options = arguments(action(role.name).DOCUMENTATION)
    (task,) = tasks(role)
    assert set(task[f"asp.centre.{role.name}"]) == set(options), "every argument is passed on"
    for name, option in specification(role)["options"].items():
        ours = options[name.removeprefix(f"{role.name}_").replace("environment", "asp_environment")]
        for key in ("type", "elements", "choices", "required"):
            if (key, option.get(key)) != ("type", "str") or ours["type"] != "path":
                assert option.get(key) == ours.get(key), f"{name}: {key}"
        if ours.get("default") is not None:
            assert option["default"] == ours["default"], name


@pytest.mark.parametrize("name", MODULES)
def test_a_modules_arguments_are_those_of_its_documentation(name):
    module = endpoint_module(name)
    assert f"module: {name}\n" in module.DOCUMENTATION
    specs = {
        option: {key: value for key, value in entry.items() if key != "no_log"}
        for option, entry in module.ARGUMENTS.items()
    }
    assert specs == arguments(module.DOCUMENTATION)
    assert {key for option in specs.values() for key in option} <= KEYS
    (first, *_) = yaml.safe_load(module.EXAMPLES)
    required = {option for option, entry in module.ARGUMENTS.items() if entry.get("required")}
    assert required <= set(first[f"asp.endpoint.{name}"]) <= set(module.ARGUMENTS)
    returned = yaml.safe_load(module.RETURN)
    assert returned and all(
        set(value) <= {"type", "elements", "returned", "description"} for value in returned.values()
    )


@pytest.mark.parametrize("role", ROLES[8:], ids=lambda role: role.name)
def test_an_endpoint_role_uses_its_own_collection_only(role):
    for task in tasks(role):
        (name,) = [key for key in task if "." in key]
        assert name.startswith(("asp.endpoint.", "ansible.builtin.")), name
        if name.startswith("asp.endpoint.") and isinstance(task[name], dict):
            assert set(task[name]) <= set(endpoint_module(name.rpartition(".")[2]).ARGUMENTS)
    text = "".join(file.read_text(encoding="utf-8") for file in role.rglob("*.yml"))
    assert "asp.centre" not in text and "lookup(" not in text

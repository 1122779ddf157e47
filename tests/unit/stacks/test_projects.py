"""Every stack program is short, known to the plan, and keeps its configuration out of the source tree."""

import pytest
import yaml

from inventory import paths
from inventory.models import Phase
from inventory.register import load
from stacks import order
from stacks.components import app_server
from tests.support.registers import altered

PROJECTS = sorted(file.parent for file in (paths.ROOT / "stacks").glob("*/Pulumi.yaml"))


def test_the_plan_has_every_project_once():
    planned = [stack.project for wave in order.waves(load("dev")) for stack in wave]
    assert sorted(planned) == [folder.name for folder in PROJECTS]


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_a_project_is_as_all_are(folder):
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    assert project["name"] == folder.name
    assert project["description"]
    assert project["stackConfigDir"] == f"../../.asp/config/{folder.name}"
    assert len((folder / "__main__.py").read_text().splitlines()) < 150


@pytest.mark.parametrize(("name", "parts"), [("dev", (None, "dev")), ("baz1.dev", ("baz1", "dev"))])
def test_a_stacks_name_says_cell_and_environment(name, parts):
    assert order.parse(name) == parts


@pytest.mark.parametrize("name", ["Dev", "dev.", "baz1.dev.old", "dev-2", ""])
def test_a_name_that_says_nothing_is_refused_with_the_way_out(name):
    with pytest.raises(order.StackNameError, match=r"wanted <environment> or <cell>\.<environment>.*pulumi config set"):
        order.parse(name)


def test_every_stack_is_named_and_configured_alike():
    for wave in order.waves(load("dev")):
        for stack in wave:
            assert order.parse(stack.name) == (stack.config.get("asp:cell"), stack.config["asp:environment"])


def test_app_servers_stand_in_the_wave_that_schemas_precede():
    assert "appservers" in [project for project, _ in order.WAVES[order.APP_WAVE]]


def test_app_servers_ask_a_live_tenant_for_the_others():
    register = load("test")
    cell = register.cell("baz1")
    first = register.municipality(app_server.first_tenant(register, cell))
    assert first.phase == "live"
    assert first.ksh > min(register.municipalities), "a municipality of lower code has no database yet"
    nobody = altered(
        register,
        municipalities={
            ksh: municipality.model_copy(update={"phase": Phase.PREPARATION})
            for ksh, municipality in register.municipalities.items()
        },
    )
    assert app_server.first_tenant(nobody, cell) == ""

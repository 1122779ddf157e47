"""Where invented data may go: never into a municipality that works for real, and only when it is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from centre.sandbox.rules import SandboxFault, confirm, may_fill, may_refill
from inventory import paths
from inventory.importing.target import _template
from tests.unit.inventory.register_copy import Copy

FILE, LIVE = "environments/dev/municipalities/14915-malyinka.yaml", "16054"
SETTINGS = "environments/dev/environment.yaml"


@pytest.fixture
def copy(tmp_path):
    copy = Copy(tmp_path)
    copy.edit(FILE, "phase:", "training: true\nphase:")
    return copy


def test_a_sandbox_is_emptied_when_it_is_named(copy):
    municipality = may_refill(copy.load(), "14915")
    confirm(municipality, "Mályinka")
    for name in ("mályinka", "Sajószentpéter"):
        with pytest.raises(SandboxFault, match=f"not confirmed: seen {name}, .* -e confirm=Mályinka"):
            confirm(municipality, name)
    with pytest.raises(SandboxFault, match=r"seen \(none\)"):
        confirm(municipality, "")


def test_a_municipality_that_works_is_never_emptied(copy):
    with pytest.raises(SandboxFault, match=r"Sajószentpéter \(16054\) is not marked training: true"):
        may_refill(copy.load(), LIVE)


@pytest.mark.parametrize("may", [may_fill, may_refill])
def test_one_that_has_not_joined_has_nothing_to_fill(copy, may):
    copy.edit(FILE, "phase: connection", "phase: preparation")
    with pytest.raises(SandboxFault, match=r"has no tenant in phase preparation.*playbooks/join\.yml"):
        may(copy.load(), "14915")


def test_a_live_municipality_gets_no_invented_data(copy):
    assert may_fill(copy.load(), LIVE).name == "Sajószentpéter", "dev is a demonstration"
    copy.edit(SETTINGS, "demonstration: true", "demonstration: false")
    with pytest.raises(
        SandboxFault, match=r"Sajószentpéter \(16054\) is live: .* demonstration: true .* environment dev"
    ):
        may_fill(copy.load(), LIVE)
    assert may_fill(copy.load(), "14915").name == "Mályinka", "one that is being connected may be tried out"


def test_no_environment_is_a_demonstration_unless_it_says_so(copy):
    text = (copy.root / SETTINGS).read_text(encoding="utf-8")
    assert "demonstration: true" in text
    settings = yaml.safe_load(_template(copy.root / SETTINGS, "land"))
    assert "demonstration" not in settings, "nor by being made from one"
    (copy.root / SETTINGS).write_text("".join(
        line for line in text.splitlines(keepends=True) if not line.startswith("demonstration")
    ))  # fmt: skip
    assert copy.load().environment.demonstration is False


REFUSED = {
    "refill of a live one": ("refill", ["municipality=16054"], "Sajószentpéter (16054) is not marked training: true"),
    "refill, unconfirmed": ("refill", ["municipality=29188"], "not confirmed: seen (none), expected"),
    "refill of nobody": ("refill", [], "municipality: wanted one 5-digit KSH code; seen: (none)"),
    "fill, unconfirmed": ("fill", ["municipality=16054"], "Run it again with -e confirm=Sajószentpéter"),
    "fill, of another": ("fill", ["municipality=16054", "confirm=Tardona"], "not confirmed: seen Tardona, expected"),
    "fill of an unknown one": ("fill", ["municipality=99999"], "municipality = '99999': no such KSH code here"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_playbooks_refuse_in_one_line(case):
    name, variables, words = REFUSED[case]
    command = [str(Path(sys.executable).with_name("ansible-playbook")), f"playbooks/{name}.yml"]
    for variable in variables:
        command += ["-e", variable]
    environ = {
        **os.environ,
        "ASP_ENV": "dev",
        "ANSIBLE_CONFIG": str(paths.ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
    }
    process = subprocess.run(command, cwd=paths.ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (2, "")
    _, fault, count = process.stdout.splitlines()
    assert fault.startswith("failed      centre  ") and words in fault and "changed=0" in count, process.stdout

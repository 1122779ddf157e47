"""A state that the real CLI wrote is a no-op here: recorded deployments are imported and previewed.

Recordings with ciphertexts cannot be imported (the ciphertexts are masked); the others can, since a preview does not
ask the daemon about what is recorded. The other direction is what the conformance cases compare field by field.
"""

from __future__ import annotations

import json
import shutil

import pytest

from .conformance import CASES
from .harness import Sandbox

PLAIN = {"component", "container", "drift", "options", "replace", "service-full"}


def importable() -> dict[str, dict]:
    """Case -> its last step that was a no-op right after and has no ciphertext in its state."""
    found = {}
    for path in sorted(CASES.glob("*/recorded.json")):
        for step in json.loads(path.read_text(encoding="utf-8"))["steps"]:
            plain = "<ciphertext>" not in json.dumps(step["state"])
            if plain and step["preview_after_is_no_op"] and len(step["state"]) > 3:
                found[path.parent.name] = step
    return found


STEPS = importable()


def test_the_recordings_that_can_be_imported():
    assert set(STEPS) == PLAIN


@pytest.mark.parametrize("case", sorted(STEPS))
def test_a_state_of_the_cli_is_a_no_op(case, tmp_path):
    step = STEPS[case]
    assert any("__meta" in json.dumps(item) for item in step["state"]), "the bridge's own fields must be there"
    sandbox = Sandbox(tmp_path, f"conformance-{case}").init()
    shutil.copy(CASES / case / step["program"], sandbox.project / "__main__.py")
    exported = tmp_path / "exported.json"
    deployment = {"manifest": {"time": "", "magic": "", "version": ""}, "resources": step["state"]}
    exported.write_text(json.dumps({"version": 3, "deployment": deployment}), encoding="utf-8")
    sandbox.run("stack", "import", "-s", "dev", "--file", str(exported))
    sandbox.run("preview", "-s", "dev", "--expect-no-changes")


def test_a_changed_state_of_the_cli_is_no_no_op(tmp_path):
    step = STEPS["component"]
    sandbox = Sandbox(tmp_path, "conformance-component").init()
    shutil.copy(CASES / "component" / step["program"], sandbox.project / "__main__.py")
    state = json.loads(json.dumps(step["state"]).replace("10.79.0.0/24", "10.79.9.0/24"))
    exported = tmp_path / "exported.json"
    exported.write_text(json.dumps({"version": 3, "deployment": {"resources": state}}), encoding="utf-8")
    sandbox.run("stack", "import", "-s", "dev", "--file", str(exported))
    said = sandbox.run("preview", "-s", "dev", "--expect-no-changes", status=7)
    assert "c0-network" in said and "changes were proposed" in said

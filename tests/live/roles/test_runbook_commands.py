"""What runbooks tell people to look at, typed as it stands there, with names of this environment for those in brackets.

What mends is run elsewhere: `make up` by every break of `tests/live/checks`, restore, drill, join and failover by
their own tests.
"""

import re
import shlex
import subprocess

import pytest

from inventory import paths
from tests.support import documented

# Only where there are three nodes: `tests/live/cells` runs them.
OF_THREE = re.compile(r"patronictl|etcd|fencer|<member>")
# Changes what the sentence before it found: there is nothing to cut off here.
NEEDS_A_STRANGER = {"docker network disconnect", "docker service logs <service>"}
# Mends one message, which systems tests of the chain do.
MENDS = ("SELECT chain.",)
# Says nothing when all is well, and ends with an error when not.
SILENT = {"asp-backup verify 1"}
RUNBOOKS = sorted((paths.ROOT / "docs" / "runbooks").glob("*.md"))
LOOKS = [
    (file.stem, command)
    for file in RUNBOOKS
    for command in documented.commands(file)
    if re.match("docker |pgbackrest |asp-backup |SELECT ", command)
    and not OF_THREE.search(command)
    and command not in NEEDS_A_STRANGER
    and not command.startswith(MENDS)
]


def test_there_is_something_to_type():
    assert {file for file, _ in LOOKS} >= {"backup", "database", "services"} and len(LOOKS) >= 8
    assert {command for _, command in LOOKS} >= SILENT


@pytest.mark.parametrize(("runbook", "command"), LOOKS, ids=[f"{file}: {command}" for file, command in LOOKS])
def test_a_look_that_a_runbook_tells_of_works(register, runtime, runbook, command):
    cell = register.cell(register.environment.cells[0].id)
    if command.startswith("SELECT"):
        query = command.replace("…", "fsync")
        argv = [
            "psql",
            "-XAt",
            "--set=ON_ERROR_STOP=1",
            "--username=postgres",
            "--dbname=postgres",
            f"--command={query}",
        ]
        assert runtime.check(cell.postgres[0], argv).strip()
    elif command.startswith(("pgbackrest", "asp-backup")):
        output = runtime.check(cell.backup, shlex.split(command), timeout=300).strip()
        assert bool(output) == (command not in SILENT), output
    else:
        node, network = cell.postgres[0], cell.data_network.name
        names = {"<cell>-postgres-1": node, "<node>": node, "<service>": cell.proxy, "<network>": network}
        names["<container>"] = runtime.container(node).id
        for name, real in names.items():
            command = command.replace(name, real)
        process = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert process.returncode == 0 and process.stdout.strip(), process.stderr

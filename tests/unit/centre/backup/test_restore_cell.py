"""A whole cell is stopped, restored and started in the right order, and runs again whatever happened."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from centre.backup import restore_cell
from centre.backup.restore import RestoreFault
from centre.reach.runtime import RuntimeFault, Unreachable

NODES, ETCD, FENCER = ["n1", "n2", "n3"], ["e1", "e2", "e3"], ["fencer", "gate"]
HOUR = timedelta(hours=1)


class Centre:
    """A cell's services. `steps`: what was done in order; `fails`: the step that ends in a fault."""

    def __init__(self, backups):
        self.steps, self.backups, self.fails, self.gone = [], backups, None, set()
        self.created = {}
        self.folders = "lock\npgdata\npgdata.before_x\npgdata.before_20261123t130000z.part\n"
        self.alive = dict.fromkeys(NODES + FENCER, True)
        names = SimpleNamespace(postgres=NODES, etcd=ETCD, fencer=FENCER, prefix="asp-x-baz1", backup="b", vault="v")
        self.cell = SimpleNamespace(cell_id="baz1", cell=names, runtime=self)
        self.register = SimpleNamespace(environment=SimpleNamespace(id="x"))
        self.client = SimpleNamespace(services=self, containers=self)
        self.daemons = lambda: [self.client]
        self.machines = SimpleNamespace(holding=lambda *volumes: self.client)

    def note(self, step):
        self.steps.append(step)
        if step == self.fails:
            raise RuntimeFault(f"{step} failed")

    # the runtime
    def container(self, service, wait=0):
        if service in self.gone:
            raise Unreachable(f"{service} is not there")
        if wait:
            self.note(f"await {service}")

    def check(self, service, argv, **_):
        if argv[0] == "ls":
            return self.folders
        self.note(" ".join(argv[:2]))
        return ""

    # the engine: services, then containers
    def get(self, name):
        spec = {"Spec": {"TaskTemplate": {"ContainerSpec": {"Image": "i"}}}}

        def update(mode, fetch_current_spec):
            self.alive[name] = bool(mode["replicated"]["Replicas"])
            self.note(f"{'start' if self.alive[name] else 'stop'} {name}")

        return SimpleNamespace(attrs=spec, update=update)

    def list(self, filters, **_):
        return [name for name, alive in self.alive.items() if alive and filters["label"].endswith(f"={name}")]

    def create(self, image, argv, **options):
        self.created = options
        request = json.loads(argv[2])
        self.folders += f"pgdata.before_{request['stamp']}\n"
        assert not any(self.alive.values()), "two servers on one volume destroy it"
        return SimpleNamespace(start=lambda: self.note("restore"))


@pytest.fixture
def centre(monkeypatch):
    now = datetime.now(UTC)
    stops = [now - 3 * HOUR, now - HOUR]
    centre = Centre([{"timestamp": {"stop": stop.timestamp()}, "info": {"size": 7}} for stop in stops])
    centre.first = stops[0]

    class Repository:
        def __init__(self, cell, number=1):
            self.stanza = "baz1"

        def catalogue(self):
            return SimpleNamespace(backups=centre.backups)

        def prove_archiving(self):
            centre.note("prove archiving")

    monkeypatch.setattr(restore_cell, "Repository", Repository)
    monkeypatch.setattr(restore_cell, "CellSql", lambda runtime, cell: centre.cell)
    monkeypatch.setattr(restore_cell, "clear", lambda *_: None)
    monkeypatch.setattr(restore_cell, "configure", lambda *_: centre.note("configure"))
    monkeypatch.setattr(restore_cell, "wait_for", lambda container, seconds, state: centre.note(state))
    return centre


@pytest.mark.parametrize(("after", "possible"), [(None, True), (-1, False), (1, True), (3 * 3600 + 60, False)])
def test_a_cell_comes_back_from_the_oldest_backup_to_now(centre, after, possible):
    moment = None if after is None else centre.first + timedelta(seconds=after)
    if possible:
        restore_cell.may_rebuild(centre.cell, 1, moment)
    else:
        with pytest.raises(RestoreFault, match="wanted one between"):
            restore_cell.may_rebuild(centre.cell, 1, moment)


def test_without_a_backup_or_an_etcd_nothing_is_stopped(centre):
    centre.gone = {"e2"}
    with pytest.raises(Unreachable, match="e2"):
        restore_cell.may_rebuild(centre.cell, 1, None)
    centre.backups = []
    with pytest.raises(RestoreFault, match="wanted a faultless backup, seen none"):
        restore_cell.may_rebuild(centre.cell, 1, None)
    assert centre.steps == []


def test_a_cell_is_stopped_fencer_first_restored_and_started(centre):
    result = restore_cell.rebuild(centre.cell, 1, None)
    assert centre.steps == [
        *("stop fencer", "stop gate", "stop n1", "stop n2", "stop n3"),
        *("restore", "configure", "replayed"),
        "asp-failover forget",
        *("start n1", "start n2", "start n3", "start fencer", "start gate"),
        *("await n1", "await n2", "await n3", "prove archiving"),
    ]
    binds = {name: volume["bind"] for name, volume in centre.created["volumes"].items()}
    assert binds["n1"] == "/data" and binds["n2"] == "/peers/n2" and binds["n3"] == "/peers/n3"
    assert centre.created["network_mode"] == "none"
    assert result.former_folder.startswith("pgdata.before_")


@pytest.mark.parametrize("fails", ["configure", "replayed", "asp-failover forget"])
def test_the_nodes_run_again_when_it_cannot_be_done(centre, fails):
    centre.fails = fails
    with pytest.raises(RuntimeFault, match=fails):
        restore_cell.rebuild(centre.cell, 1, None)
    assert centre.steps[-5:] == ["start n1", "start n2", "start n3", "start fencer", "start gate"]


def test_a_cell_that_does_not_archive_is_not_back(centre):
    centre.fails = "prove archiving"
    with pytest.raises(RuntimeFault, match="prove archiving"):
        restore_cell.rebuild(centre.cell, 1, None)


def test_a_node_that_does_not_stop_is_told_and_the_cell_runs_on(centre, monkeypatch):
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(restore_cell.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(restore_cell.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(centre, "list", lambda filters: ["its container"])
    with pytest.raises(RuntimeFault, match="fencer: still runs 90 s after it was told to stop"):
        restore_cell.rebuild(centre.cell, 1, None)
    assert "restore" not in centre.steps and all(centre.alive.values()), "the others run again"


def test_former_clusters_are_folders_of_their_whole_name(centre):
    centre.folders += "pgdata.before_20261123t130000z\n"
    assert restore_cell.former_clusters(centre.cell) == ["pgdata.before_20261123t130000z"]

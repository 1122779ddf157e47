"""The first start of a cell: its settings into etcd and, without data, a database cluster.

A cluster is made here, aside and renamed, and then adopted by Patroni, instead of by Patroni's own bootstrap: killed in
the middle of that one, the cell waits forever for somebody to finish it. The same path turns a single node into a cell
of three, and brings a restored cell back: its data directory is there already.
"""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from asp_node import places
from asp_node.places import log

INITDB = [
    *("initdb", "--username=postgres", "--auth=reject", "--data-checksums", "--encoding=UTF8"),
    *("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=hu-HU", "--sync-method=syncfs"),
]


def found_cluster(stopped: threading.Event) -> None:
    """On the founder, where no cluster was ever made under this name: its settings and, without data, the cluster."""
    dcs, cluster = _cluster(stopped)
    if stopped.is_set() or cluster is None or cluster.initialize is not None:
        return
    dcs.set_config_value(json.dumps(json.loads(places.SHARED.read_text(encoding="utf-8"))))
    if places.DATA.is_dir():
        log.info("the cell adopts the database cluster on this node's volume")
        return
    log.info("first start of the cell: making the database cluster")
    aside = f"{places.DATA}.new"
    # Whole or not at all: a kill at any point leaves either nothing or a whole cluster.
    subprocess.run(["rm", "-rf", aside], check=True)
    subprocess.run([*INITDB, f"--pgdata={aside}"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mv", "-T", aside, str(places.DATA)], check=True)
    subprocess.run(["sync", "-f", str(places.VOLUME)], check=True)


def _cluster(stopped: threading.Event) -> tuple[Any, Any]:
    """Patroni's way to etcd, and the cluster as etcd has it; (None, None) when this node is stopped before."""
    dcs = None
    while not stopped.is_set():
        try:
            dcs = dcs or connect()
            return dcs, dcs.get_cluster()
        except Exception as error:  # Patroni's client raises many kinds; all mean: not yet
            log.warning(f"etcd does not answer yet: {error!r:.200}")
            stopped.wait(1)
    return None, None


def connect() -> Any:
    """Patroni's client of etcd, with this node's settings."""
    # Here: Patroni takes half a second to import, and only the founder needs it.
    from patroni.config import Config
    from patroni.dcs import get_dcs

    return get_dcs(Config(str(places.SETTINGS)).copy())

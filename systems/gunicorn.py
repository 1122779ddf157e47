"""How gunicorn runs an app server: TLS on the service's own certificate, one small worker, graceful stop."""

import gc
import os
from pathlib import Path

from gunicorn.errors import HaltServer

from systems.core.deaths import MOST, WITHIN, Deaths
from systems.core.logs import CONFIGURATION
from systems.core.room import THREADS

bind = "0.0.0.0:8443"
certfile = "/run/secrets/tls.crt"
keyfile = "/run/secrets/tls.key"
ca_certs = "/etc/asp/ca.crt"
cert_reqs = 2  # only holders of a certificate of this hosting's root get in: the edge, and checks
# A second worker takes 25 MiB in each of thirteen services and, on two processors, serves a third more (bench SYS).
workers = 1
worker_class = "gthread"
threads = THREADS
preload_app = True  # imported once, so a dead worker is replaced at once
timeout = 60
graceful_timeout = 15
keepalive = 65
worker_tmp_dir = "/dev/shm"  # the file system is read-only, and heartbeats must not wait for a disk
control_socket_disable = True
accesslog = None  # the systems log each request themselves, with tenant and request id
logconfig_dict = CONFIGURATION
# A file system of its own: one that something else can fill would kill the workers (metrics.py).
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", "/run/metrics")
forwarded_allow_ips = "*"  # only the edge shares the network
deaths = Deaths()


def on_starting(server) -> None:
    from systems.core import metrics  # after the variable above is set

    metrics.allocate(Path(os.environ[metrics.FOLDER]), workers)


def pre_fork(server, worker) -> None:
    """Exclude what was imported from garbage collection, so that workers keep sharing its memory."""
    gc.freeze()
    slots = {other.slot for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in range(workers + len(slots)) if slot not in slots)


def post_fork(server, worker) -> None:
    from systems.core import metrics

    metrics.serve_as(worker.slot)


def child_exit(server, worker) -> None:
    """End when workers die in a row: a new container has empty file systems and memory, a new worker has not."""
    if deaths.another():
        raise HaltServer(f"{MOST} workers died within {WITHIN} s; the container must be replaced", 1)


def post_worker_init(worker) -> None:
    """Every worker starts a relay; the lock lets one of them run."""
    from systems.chain import relay

    relay.start()

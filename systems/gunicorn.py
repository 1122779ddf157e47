"""How gunicorn runs an app server: TLS on the service's own certificate, one small worker, graceful stop."""

import gc
import os
from pathlib import Path

from systems.core.logs import CONFIGURATION

bind = "0.0.0.0:8443"
certfile = "/run/secrets/tls.crt"
keyfile = "/run/secrets/tls.key"
ca_certs = "/etc/asp/ca.crt"
cert_reqs = 2  # only holders of a certificate of this hosting's root get in: the edge, and checks
# A second worker takes 25 MiB in each of thirteen services and, on two processors, serves a third more (bench SYS).
workers = 1
worker_class = "gthread"
threads = 8
preload_app = True  # imported once, so a dead worker is replaced at once
timeout = 60
graceful_timeout = 15
keepalive = 65
worker_tmp_dir = "/dev/shm"  # the file system is read-only, and heartbeats must not wait for a disk
control_socket_disable = True
accesslog = None  # the systems log each request themselves, with tenant and request id
logconfig_dict = CONFIGURATION
# The workers' counters are kept here side by side and summed when read (prometheus_client).
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", "/tmp/metrics")
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(exist_ok=True)
forwarded_allow_ips = "*"  # only the edge shares the network


def pre_fork(server, worker) -> None:
    """Exclude what was imported from garbage collection, so that workers keep sharing its memory."""
    gc.freeze()


def child_exit(server, worker) -> None:
    from systems.core import metrics

    metrics.worker_ended(worker.pid)


def post_worker_init(worker) -> None:
    """Every worker starts a relay; the lock lets one of them run."""
    from systems.chain import relay

    relay.start()

"""How gunicorn runs an app server: TLS on the service's own certificate, one small worker, graceful stop."""

import gc
import os
from pathlib import Path

from systems.core.logs import CONFIGURATION

bind = "0.0.0.0:8443"
certfile = "/run/secrets/tls.crt"
keyfile = "/run/secrets/tls.key"
ca_certs = "/etc/asp/ca.crt"
cert_reqs = 2  # only who holds a certificate of this hosting's root gets in: the edge, and checks
# A second one takes 25 MiB more in each of thirteen services and, on two processors, answers a third more (bench SYS).
workers = 1
worker_class = "gthread"
threads = 8
preload_app = True  # imported once: whoever takes a dead worker's place is there at once
timeout = 60
graceful_timeout = 15
keepalive = 65
worker_tmp_dir = "/dev/shm"  # the file system is read-only, and a heartbeat must not wait for a disk
control_socket_disable = True
accesslog = None  # the systems log each request themselves, with tenant and request id
logconfig_dict = CONFIGURATION
# Counters of the workers lie side by side there and are added up when asked for (prometheus_client).
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", "/tmp/metrics")
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(exist_ok=True)
forwarded_allow_ips = "*"  # only the edge shares the network


def pre_fork(server, worker) -> None:
    """What was imported is never collected: workers that do not look at it keep sharing its memory."""
    gc.freeze()


def child_exit(server, worker) -> None:
    from systems.core import metrics

    metrics.worker_ended(worker.pid)


def post_worker_init(worker) -> None:
    """Each worker offers to relay; one of them does."""
    from systems.chain import relay

    relay.start()

"""Files of a node, and how its lines begin."""

from pathlib import Path

from asp_service.log import Log

VOLUME = Path("/data")
DATA = VOLUME / "pgdata"
LOCK = VOLUME / "lock"
RESTARTED = VOLUME / "restarted"  # for which changes of settings PostgreSQL was restarted last
SETTINGS = Path("/run/secrets/patroni.yml")
SHARED = Path("/etc/asp/dcs.json")
BOOTSTRAP = Path("/run/secrets/bootstrap.sql")
READY = Path("/run/asp/ready")
ALIVE = Path("/run/asp/alive")  # touched whenever Patroni answers

log = Log("asp-node")

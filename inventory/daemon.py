"""The Docker daemon's settings on every machine that playbooks/machines.yml prepares. Plain data."""

from __future__ import annotations

import ipaddress
from typing import Any

from inventory import addresses

# Docker's default keeps every line forever, on the disk that the databases are on. 100 MiB a container hold ten days
# of an edge with 10,000 requests of 1,000 bytes a day; keeping more is the business of a log store.
LOG_DRIVER, LOG_OPTIONS = "local", {"max-file": "5", "max-size": "20m"}
BRIDGE = "172.17.0.0/16"  # docker0's, which is one of Docker's own
SWARMS_OWN = "10.0.0.0/16"  # not the daemon's to give: a setting of the Swarm
SMALL = 20  # what Docker makes of 192.168.0.0/16; every other pool it cuts into /16s


def settings() -> dict[str, Any]:
    """`daemon.json`. Its pools are those that Docker takes by itself on one machine, written down: the register's rules
    keep subnets and machines' addresses clear of them (`inventory.addresses.DOCKERS_OWN`)."""
    pools = [ipaddress.IPv4Network(pool) for pool in addresses.DOCKERS_OWN if pool not in (BRIDGE, SWARMS_OWN)]
    first = next(ipaddress.IPv4Network(BRIDGE).hosts())
    return {
        "bip": f"{first}/16",
        "default-address-pools": [{"base": str(pool), "size": SMALL if pool.prefixlen == 16 else 16} for pool in pools],
        "live-restore": False,  # a Swarm refuses it
        "log-driver": LOG_DRIVER,
        "log-opts": LOG_OPTIONS,
    }

"""Commands: `member` runs a member of etcd, `watch` the fencer, `gate` the fencer's way to the engine.

`status` and `forget` answer the hands of the centre.

`status`: what this member knows, confirmed by a majority (JSON): `keys` of the cell, `members` {name: id}.
`forget SCOPE`: nobody led, nobody acknowledged, no cluster was ever made under this prefix; how many keys went (JSON).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from asp_service.places import ROOT

from asp_failover.etcd import Etcd, EtcdFault
from asp_failover.logins import read_logins

HERE = ["localhost:2379"]
SECONDS = 10.0


def main(arguments: list[str]) -> int:
    """The exit code: 1 when etcd does not answer or refuses, 2 for a command that is none."""
    match arguments:
        case ["member"]:
            from asp_failover import member  # each service loads what it runs and nothing of the other

            return member.run()
        case ["watch"]:
            from asp_failover import watch

            return watch.run()
        case ["gate"]:
            from asp_failover import engine, gate

            return gate.run(Path(engine.SOCKET))
        case ["status"] | ["forget", _]:
            try:
                answer = _status() if arguments == ["status"] else _forget(arguments[1])
            except EtcdFault as fault:
                print(f"asp-failover {arguments[0]}: {fault}", file=sys.stderr)
                return 1
            print(json.dumps(answer))
            return 0
    print("asp-failover: wanted: asp-failover member | watch | gate | status | forget SCOPE", file=sys.stderr)
    return 2


def _status() -> dict[str, object]:
    etcd = Etcd(HERE, ROOT, "root", read_logins()["root"], SECONDS)
    members = etcd.call("/v3/cluster/member/list", {"linearizable": True})["members"]
    return {
        "keys": sorted(etcd.prefix("/service/")),
        "members": {member["name"]: member["ID"] for member in members if member.get("clientURLs")},
    }


def _forget(scope: str) -> dict[str, int]:
    if not scope.endswith("/"):
        raise EtcdFault(f"scope {scope!r}: wanted a prefix that ends in a slash")
    etcd = Etcd(HERE, ROOT, "patroni", read_logins()["users"]["patroni"]["password"], SECONDS)
    return {"deleted": etcd.delete_prefix(scope)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Commands: `serve` runs the node; `status` prints the cluster as this node's Patroni knows it (JSON)."""

from __future__ import annotations

import http.client
import json
import sys

from asp_node import patroni_api


def main(arguments: list[str]) -> int:
    """The exit code: 1 when Patroni does not answer, 2 for a command that is none."""
    match arguments:
        case ["serve"]:
            from asp_node.service import run  # who only asks for the status need not wait for the rest

            return run()
        case ["status"]:
            return _status()
    print("asp-node: wanted: asp-node serve | status", file=sys.stderr)
    return 2


def _status() -> int:
    try:
        status, cluster = patroni_api.call("GET", "/cluster")
    except (OSError, http.client.HTTPException) as error:
        print(f"asp-node status: Patroni does not answer: {error!r}", file=sys.stderr)
        return 1
    if status != 200:
        print(f"asp-node status: Patroni answers {status}: {cluster}", file=sys.stderr)
        return 1
    print(json.dumps(cluster))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

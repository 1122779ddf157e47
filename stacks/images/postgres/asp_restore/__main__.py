"""Commands: `configure` hands the repository's options over; `tenant` and `cluster` wait for them and restore.

`configure` reads {option of pgBackRest: value} on standard input. `tenant` and `cluster` take one argument, the JSON of
their `Request`, print one JSON line when it is done and stay until they are removed.
"""

from __future__ import annotations

import json
import sys

from asp_restore import cluster, source, tenant


def main(arguments: list[str]) -> int:
    """The exit code: 1 when nothing is restored (the reason on standard error), 2 for a command that is none."""
    try:
        match arguments:
            case ["configure"]:
                source.hand_over(json.load(sys.stdin))
                return 0
            case ["tenant", request]:
                return tenant.run(tenant.Request(**json.loads(request)))
            case ["cluster", request]:
                return cluster.run(cluster.Request(**json.loads(request)))
    except (source.RestoreFault, OSError) as fault:
        print(f"asp-restore {arguments[0]}: {fault}", file=sys.stderr)
        return 1
    except (TypeError, ValueError) as error:
        print(f"asp-restore {arguments[0]}: {error}", file=sys.stderr)
        return 2
    print("asp-restore: wanted: configure | tenant REQUEST | cluster REQUEST", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Commands: `serve` runs the service; `state`, `verify NUMBER` and `archived` answer the hands of the centre.

`state` prints each repository's `Repository.state` as JSON; `verify` ends with 1 and says why when a repository is not
whole; `archived` reads {database: oid} on standard input and notes that these are wholly in archived WAL.
"""

from __future__ import annotations

import json
import sys

from asp_backup.repository import RepositoryFault
from asp_backup.settings import Settings
from asp_backup.verify import verify

USAGE = "wanted: asp-backup serve | state | verify NUMBER | archived"


def main(arguments: list[str]) -> int:
    """The exit code: 0, 1 for what is wrong with a repository, 2 for a command that is none."""
    try:
        match arguments:
            case ["serve"]:
                # Here, because who only asks for the state would wait for its libraries as long as for the answer.
                from asp_backup.server import run

                return run(Settings.read())
            case ["state"]:
                print(json.dumps({each.number: each.state() for each in Settings.read().repositories}))
            case ["archived"]:
                databases = json.load(sys.stdin)
                for repository in Settings.read().repositories:  # WAL goes to all of them
                    repository.note_archived(databases)
            case ["verify", number]:
                if wrong := verify(Settings.read().repository(number)):
                    print(f"asp-backup: repository {number} is not proven whole: {wrong}", file=sys.stderr)
                    return 1
            case _:
                print(f"asp-backup: {USAGE}", file=sys.stderr)
                return 2
    except RepositoryFault as fault:
        print(f"asp-backup: {fault}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"asp-backup {' '.join(arguments)}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Commands: `serve` runs HAProxy and follows revocations; the others read JSON on standard input and answer with it.

`apply`: {"present": [{"host", "ksh", "cell", "token"?}], "absent": [host]}; `status`: {"hosts": [host]} or nothing;
`revoked`: nothing, for the {"serials": [hex]} that HAProxy refuses.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from asp_edge import haproxy, pace, revocation, store, tenants
from asp_edge.settings import EdgeFault, Settings

STOP_SECONDS = 15
ANSWERS: dict[str, Callable[[Settings, dict[str, Any]], Any]] = {
    "apply": tenants.apply,
    "status": lambda settings, request: tenants.status(settings, request.get("hosts")),
    "revoked": lambda settings, request: {"serials": revocation.loaded(settings)},
}


def serve(settings: Settings) -> int:
    """Run until HAProxy ends or a signal asks to stop; requests that have begun may finish first."""
    store.prepare(settings)
    process = haproxy.start(settings)
    stop = threading.Event()

    def stopping(*_: object) -> None:
        if not stop.is_set():
            stop.set()
            threading.Thread(target=haproxy.end, args=(settings, process, STOP_SECONDS), daemon=True).start()

    signal.signal(signal.SIGTERM, stopping)
    signal.signal(signal.SIGINT, stopping)
    threading.Thread(target=revocation.watch, args=(settings, stop), daemon=True).start()
    threading.Thread(target=pace.watch, args=(settings, stop), daemon=True).start()
    code = process.wait()
    return 0 if stop.is_set() else code or 1


def main(arguments: list[str]) -> int:
    settings = Settings()
    verb = arguments[0] if len(arguments) == 1 else ""
    try:
        if verb == "serve":
            return serve(settings)
        if verb not in ANSWERS:
            raise EdgeFault(f"wanted: asp-edge {' | '.join(['serve', *ANSWERS])}")
        text = "" if sys.stdin.isatty() else sys.stdin.read()
        answer = ANSWERS[verb](settings, json.loads(text or "{}"))
    except json.JSONDecodeError as error:
        print(f"asp-edge {verb}: standard input is not JSON: {error}", file=sys.stderr)
        return 2
    except (EdgeFault, OSError, subprocess.TimeoutExpired) as error:
        print(f"asp-edge {verb}: {error}", file=sys.stderr)
        return 1
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m stacks.engine`."""

import contextlib
import os
import sys
from typing import Any

from stacks.engine import program
from stacks.engine.late import Late
from stacks.engine.light import bare_sdk, lean_docker

# All the rest of the engine: loaded while the program's own interpreter starts, which takes longer.
cli: Any = Late("stacks.engine.cli")

if __name__ == "__main__":
    program.foresee(sys.argv[1:])
    bare_sdk()
    lean_docker()
    try:
        status = cli.main()
    finally:
        program.dismiss()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    # Idle gRPC threads that ask for the interpreter while it shuts down can abort the process ("FATAL: exception not
    # rethrown") after all is done and recorded.
    os._exit(status)

"""`python -m stacks.engine`."""

import contextlib
import os
import sys

from stacks.engine.cli import main
from stacks.engine.light import bare_sdk

if __name__ == "__main__":
    bare_sdk()
    status = main()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    # Idle gRPC threads that ask for the interpreter while it shuts down can abort the process ("FATAL: exception not
    # rethrown") after all is done and recorded.
    os._exit(status)

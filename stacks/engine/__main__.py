"""``python -m stacks.engine``."""

import sys

from .cli import main
from .light import bare_sdk

if __name__ == "__main__":
    bare_sdk()
    sys.exit(main())

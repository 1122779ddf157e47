"""Our container images: one folder each, named by the hash of all that goes into them.

`reference("edge")` is what stacks ask for; `python -m stacks.images` builds what is missing.
"""

from stacks.images.recipe import BASE, names, reference

__all__ = ["BASE", "names", "reference"]

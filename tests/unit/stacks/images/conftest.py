"""Image programs are imported as they are in their containers: the contexts' packages, and what all of them share."""

import sys

from stacks.images.build.recipe import IMAGES

# In one place, and for this folder alone: nothing outside an image may import its programs.
sys.path[:0] = [str(IMAGES / folder) for folder in ("shared", "postgres", "etcd", "edge")]

"""Building images, each named by the hash of all that goes into it: `python -m stacks.images.build`."""

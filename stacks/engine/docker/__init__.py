"""The Docker resource types: one module each, all of the same shape (see `base`)."""

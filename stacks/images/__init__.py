"""Our container images: one build context a folder; `build/` builds them."""

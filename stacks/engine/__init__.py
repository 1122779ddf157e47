"""Embedded deployment engine: runs ordinary Pulumi Python programs with nothing but packages from PyPI.

It serves the Pulumi SDK's own monitor interface, applies `docker:index/*` resources through the Docker API and
keeps its state in Pulumi's file-backend format, so that the `pulumi` CLI can take a stack over at any time.
Use it as `python -m stacks.engine <verb>` (see `docs/engine.md`).
"""

"""Restores out of a cell's repository in a container of its own: one municipality's database, or the whole cluster."""

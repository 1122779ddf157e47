"""Backups of cells: what there is, bringing back one municipality or a whole cell, and drills that prove it."""

"""Sums over municipalities for the Treasury: figures, what may be published of them, publication."""

"""Feeds to the warehouse and data taken over from elsewhere, both sent over the chain."""

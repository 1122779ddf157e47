"""Invented data: filling a municipality with it, and emptying a sandbox."""

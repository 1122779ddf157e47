"""Checks: is a municipality ready for, and kept at, its SLA? Probes gather facts, assertions judge, reports tell."""

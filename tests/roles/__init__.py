"""Scenarios of the endpoint roles: one container each, no environment, nothing of the register."""

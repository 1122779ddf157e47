"""What every request passes before it reaches a system: tenant, sign-in, presence, the business log."""

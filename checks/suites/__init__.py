"""What is promised: one pytest-testinfra suite for the centre, a tenant and a workstation each."""

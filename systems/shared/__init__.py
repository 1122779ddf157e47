"""What the hosting and the app servers must agree on. Standard library only: the register stands on it."""

"""What suites share besides fixtures."""

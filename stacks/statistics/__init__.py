"""What the Treasury sees of all municipalities: totals of the nightly figures, from which no single one is read."""

"""What several systems send over the chain in the same way: feeds, imports of earlier data, progress of cases."""

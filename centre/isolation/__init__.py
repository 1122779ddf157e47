"""Who can reach what: reading rights, the matrix that follows, and attempts that prove it."""

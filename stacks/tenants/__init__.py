"""What a municipality is at identity and edge: read, compared with the register, changed step by step."""

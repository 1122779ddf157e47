"""What an operator asks of an environment as a whole: host, up, status, down, clean."""

"""Control program of the edge, run inside its container with Debian's Python and nothing else."""

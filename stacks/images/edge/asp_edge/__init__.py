"""Control program of the edge, run inside its container with Debian's Python and `asp_service` alone."""

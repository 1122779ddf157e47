"""What people do in the systems, one module a room of the office: each task goes from an empty form to its end."""

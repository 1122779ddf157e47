"""What Pulumi provisions: one project a folder. Touches no running service."""

"""Database backend that connects to the database of the current tenant, as the role of this system on it."""

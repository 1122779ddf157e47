"""A cell's tenants in PostgreSQL: what is there, what must change, and changing it."""

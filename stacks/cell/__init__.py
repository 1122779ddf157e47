"""A cell's tenants: reading what PostgreSQL and pgBackRest hold, and computing what must change. No Pulumi in here."""

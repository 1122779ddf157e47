"""Tenants at the edge: hosts, their certificates, and revocation of clerks' certificates."""

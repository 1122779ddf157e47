"""Runs one of a cell's three nodes: Patroni with PostgreSQL under it, pgBackRest's TLS server beside it.

Needs: volume /data; tmpfs /run/asp; /run/secrets/patroni.yml; /etc/asp/dcs.json (what the cluster as a whole is set to)
and /run/secrets/bootstrap.sql (idempotent): whichever node leads applies both, at every change of leader.
Optional: /etc/asp/pgbackrest.conf. ASP_FOUNDER=1 on the one node that may make a new cluster.

Ready (see asp-node-healthy) means: PostgreSQL has once served in this container, as leader or as standby, and Patroni
still answers. A node that clones or replays for hours is not ended by its health check.
"""

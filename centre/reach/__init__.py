"""How one gets to a running service: processes in containers, connections, SQL, Keycloak, who leads."""

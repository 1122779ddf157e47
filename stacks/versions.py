"""Every version that no lock file holds: one place to raise it. Hashes are of the exact files that were tried."""

KEYCLOAK = "26.7.5"
STEP_CA = "v0.30.2"
DEBIAN_SUITE = "trixie"
POSTGRES_MAJOR = "17"

"""Paths inside containers that more than one program must agree on."""

CERTIFICATE_FILE = "/run/secrets/tls.crt"
KEY_FILE = "/run/secrets/tls.key"
ROOT_FILE = "/etc/asp/ca.crt"

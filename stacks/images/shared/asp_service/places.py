"""Where every service of the hosting has its certificate and root; `stacks/configs/places.py` puts them there."""

CERTIFICATE = "/run/secrets/tls.crt"
KEY = "/run/secrets/tls.key"
ROOT = "/etc/asp/ca.crt"

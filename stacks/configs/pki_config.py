"""step-ca's configuration for one environment, as plain data from the register and the vault."""

from __future__ import annotations

import json

from inventory.names import Port
from inventory.register import Register
from inventory.vault.tokens import ENROL, SERVER, public_jwk
from inventory.vault.vault import Secrets
from stacks.configs.places import ROOT_FILE

CONFIG_FILE = "/etc/asp/ca.json"
INTERMEDIATE_FILE = "/etc/asp/intermediate.crt"
INTERMEDIATE_KEY_FILE = "/run/secrets/intermediate.key"
CRL_HOURS = 24  # how long the edge works on with the last list when step-ca is down

# The subject comes from the token, which only the vault's key can sign; a request's own wishes are not taken over. So
# does the serial number: the centre knows each certificate that it allowed, and can revoke what it never saw.
_SUBJECT = """\
{"serialNumber": {{ toJson .Token.asp.serial }}, "subject": {"commonName": {{ toJson .Token.sub }},
  "organizationalUnit": {{ toJson .Token.asp.unit }}, "organization": {{ toJson .Token.asp.organization }}},
 "keyUsage": ["digitalSignature"], "extKeyUsage": ["clientAuth"]}"""
_SERVER = """\
{"subject": {"commonName": {{ toJson .Token.sub }}}, "sans": {{ toJson .SANs }},
 "keyUsage": ["digitalSignature"], "extKeyUsage": ["serverAuth"]}"""


def render(register: Register, secrets: Secrets) -> str:
    """`ca.json`: signs with the environment's intermediate, believes the vault's two keys, lists revocations."""
    environment = register.environment
    pki = environment.pki
    config = {
        "root": ROOT_FILE,
        "crt": INTERMEDIATE_FILE,
        "key": INTERMEDIATE_KEY_FILE,
        "address": f":{Port.PKI:d}",
        "dnsNames": [environment.pki_host, register.names.pki, "localhost"],
        "logger": {"format": "json"},
        "db": {"type": "badgerv2", "dataSource": "/data/db"},
        "crl": {"enabled": True, "generateOnRevoke": True, "cacheDuration": f"{CRL_HOURS}h"},
        "tls": {"minVersion": 1.2, "maxVersion": 1.3, "renegotiation": False},
        "authority": {
            "disableIssuedAtCheck": False,
            "provisioners": [
                _provisioner(ENROL, secrets.enrol_key, _SUBJECT, pki.client_certificate_days),
                _provisioner(SERVER, secrets.server_key, _SERVER, pki.server_certificate_days),
            ],
        },
    }
    return json.dumps(config, indent=1)


def _provisioner(name: str, key: str, template: str, days: int) -> dict:
    lifetime = f"{days * 24}h0m0s"
    return {
        "type": "JWK",
        "name": name,
        "key": public_jwk(key),
        "claims": {
            "minTLSCertDuration": "1m0s",
            "maxTLSCertDuration": lifetime,
            "defaultTLSCertDuration": lifetime,
            "disableRenewal": True,  # a renewed certificate would have a serial number that nobody wrote down
        },
        "options": {"x509": {"template": template}},
    }

"""The Docker client's library, with its failures as the standard ones. Loading it takes 0.1 s: see `late`."""

from __future__ import annotations

import math
import os
from typing import Any

import docker
import docker.errors
import docker.tls
import requests


class Client(docker.APIClient):
    """The library's client, which trusts the daemon's own authority only."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """As the library's, but REQUESTS_CA_BUNDLE, which requests would prefer, does not count."""
        verify = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


def connect(url: str, certificates: str, timeout: float, pool: int) -> Client:
    """A client that has spoken with the daemon; ConnectionError when there is none.

    `certificates`: folder with ca.pem, cert.pem and key.pem, `""` without TLS. `timeout`: seconds without an answer.
    `pool`: connections that are kept open.
    """
    try:
        tls: Any = _tls(certificates) if certificates else False
        return Client(base_url=url, version="auto", timeout=math.ceil(timeout), num_pools=pool, tls=tls)
    except (docker.errors.DockerException, requests.RequestException, OSError) as cause:
        raise ConnectionError(str(cause)) from cause


def _tls(folder: str) -> docker.tls.TLSConfig:
    pair = (os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    return docker.tls.TLSConfig(client_cert=pair, ca_cert=os.path.join(folder, "ca.pem"), verify=True)


def send(client: Client, method: str, path: str, **options: Any) -> requests.Response:
    """One request; TimeoutError when no answer comes in time, ConnectionError when the daemon is out of reach."""
    url = f"{client.base_url}/v{client.api_version}{path}"
    try:
        return client.request(method, url, **options)
    except requests.Timeout as cause:
        raise TimeoutError(str(cause)) from cause
    except requests.RequestException as cause:
        raise ConnectionError(str(cause)) from cause

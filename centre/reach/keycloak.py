"""Keycloak's administration API, a realm at a time, through one verified connection from inside its own container."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import quote, urlencode

from centre.reach.runtime import Runtime
from centre.reach.tunnel import Answer, HttpsSession
from inventory.names import Port
from inventory.vault.vault import Secrets
from stacks.configs.realm import OPERATOR, REALM

EVERYTHING = 10000  # the API gives 10 of a list unless told otherwise


class Keycloak:
    """A signed-in administrator. Paths are below the realm; faults are RuntimeFault with Keycloak's own words."""

    def __init__(self, runtime: Runtime, secrets: Secrets):
        self._realm = REALM
        service = runtime.register.names.identity
        self._session = HttpsSession(runtime, service, Port.IDENTITY_LOCAL, secrets.root_ca.certificate)
        self._form = {
            "grant_type": "client_credentials",
            "client_id": OPERATOR,
            "client_secret": secrets.password("identity_admin"),
        }
        self._sign_in()

    def _sign_in(self) -> None:
        answer = self._session.request("POST", "/realms/master/protocol/openid-connect/token", form=self._form)
        self._session.bearer(answer.json()["access_token"])

    def __enter__(self) -> Keycloak:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def beside(self, realm: str) -> Keycloak:
        """The same administrator in another realm, on the same connection."""
        other = copy.copy(self)
        other._realm = realm
        return other

    def get(self, *parts: str, **query: object) -> Any:
        """The object or list at a path; `query` values become its parameters."""
        texts = {key: str(value).lower() if isinstance(value, bool) else value for key, value in query.items()}
        return self._call("GET", parts, query="?" + urlencode(texts) if texts else "").json()

    def create(self, *parts: str, body: object) -> str:
        """POST; the id of what was made, or an empty text when Keycloak names none."""
        return self._call("POST", parts, body).headers.get("location", "").rpartition("/")[2]

    def replace(self, *parts: str, body: object) -> None:
        self._call("PUT", parts, body)

    def remove(self, *parts: str, body: object = None) -> None:
        """DELETE; what is gone already is no fault."""
        self._call("DELETE", parts, body, accept=(404,))

    def _call(
        self, method: str, parts: tuple[str, ...], body: object = None, query: str = "", accept: tuple[int, ...] = ()
    ) -> Answer:
        path = "/".join(["/admin/realms", self._realm, *(quote(part, safe="") for part in parts)])
        answer = self._session.request(method, path + query, body, accept=(*accept, 401))
        if answer.status == 401:  # a token lives for a minute; many municipalities on a busy machine take longer
            self._sign_in()
            answer = self._session.request(method, path + query, body, accept=accept)
        return answer

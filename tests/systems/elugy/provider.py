"""A small OpenID provider on a local port: Keycloak's code flow with a test's own keys and answers."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey


class Provider:
    """Serves realm `ugyfel`. `claims` override those of its ID tokens; `key` signs them."""

    def __init__(self):
        self.key = RSAKey.generate_key(2048, {"kid": "provider", "alg": "RS256", "use": "sig"})
        self.published = KeySet([self.key])
        self.claims: dict = {}
        self.codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                assert self.path == "/realms/ugyfel/protocol/openid-connect/certs"
                self._answer(provider.published.as_dict(private=False))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(provider.token(form))

            def _answer(self, body):
                data = json.dumps(body).encode()
                self.send_response(200 if "error" not in body else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def authorize(self, location: str) -> str:
        """The address to which a citizen's sign-in at this address returns."""
        url = urlsplit(location)
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{self.origin}/realms/ugyfel/protocol/openid-connect/auth"
        request = {name: values[0] for name, values in parse_qs(url.query).items()}
        assert request["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = request
        back = urlsplit(request["redirect_uri"])
        assert back.scheme == "https"
        return f"{back.path}?code={code}&state={request['state']}"

    def token(self, form: dict[str, str]) -> dict:
        """The token endpoint: a code is valid once, with its own verifier."""
        request = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if request is None or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != request["code_challenge"]:
            return {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": f"{self.origin}/realms/ugyfel",
            "aud": request["client_id"],
            "azp": request["client_id"],
            "nonce": request["nonce"],
            "iat": now,
            "exp": now + 300,
            "preferred_username": "proba.piroska",
            "family_name": "Próba",
            "given_name": "Piroska",
            "email": "proba.piroska@pelda.test",
            "identifier": "8472765075",
            **self.claims,
        }
        token = jwt.encode({"alg": "RS256", "kid": "provider"}, claims, self.key)
        return {"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": token}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

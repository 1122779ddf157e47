"""A small image registry (Distribution API v2) on loopback: what docker push and pull need, with a password."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import secrets
import threading
from typing import Self
from urllib.parse import parse_qs, urlsplit

USER, PASSWORD = "pusher", "geheim"
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>blobs/uploads|blobs|manifests)/(?P<key>[^/]*)$")


class Registry:
    """`blobs`: digest -> content. `manifests`: (name, tag or digest) -> (media type, content)."""

    def __init__(self):
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.uploads: dict[str, bytes] = {}
        self.pushes = 0  # manifests put under a tag
        outer = self

        class Handler(_Handler):
            registry = outer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, *_):
        return

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def fault(self, status: int, code: str, **headers: str) -> None:
        body = {"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}
        self.answer(status, json.dumps(body).encode(), Content_Type="application/json", **headers)

    def serve(self) -> None:
        body = self._body()
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {credentials}":
            self.fault(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="registry"')
            return
        parts = urlsplit(self.path)
        if parts.path == "/v2/":
            self.answer(200, b"{}")
            return
        match = _PATH.match(parts.path)
        if match is None:
            self.fault(404, "NAME_UNKNOWN")
            return
        name, kind, key = match["name"], match["kind"], match["key"]
        if kind == "manifests":
            self._manifest(name, key, body)
        elif kind == "blobs":
            self._send(None, self.registry.blobs.get(key), "BLOB_UNKNOWN")
        else:
            self._upload(name, key, body, parse_qs(parts.query))

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, media: str | None, content: bytes | None, unknown: str) -> None:
        if content is None:
            self.fault(404, unknown)
            return
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.answer(200, content, Content_Type=media or "application/octet-stream", Docker_Content_Digest=digest)

    def _manifest(self, name: str, key: str, body: bytes) -> None:
        if self.command == "PUT":
            digest = "sha256:" + hashlib.sha256(body).hexdigest()
            for where in (key, digest):
                self.registry.manifests[(name, where)] = (self.headers["Content-Type"], body)
            self.registry.pushes += 1
            self.answer(201, Location=f"/v2/{name}/manifests/{digest}", Docker_Content_Digest=digest)
        else:
            self._send(*self.registry.manifests.get((name, key), (None, None)), "MANIFEST_UNKNOWN")

    def _upload(self, name: str, key: str, body: bytes, query: dict) -> None:
        uploads = self.registry.uploads
        key = key or secrets.token_hex(16)
        uploads[key] = uploads.get(key, b"") + body
        digest = (query.get("digest") or [""])[0]
        if not digest:
            place = f"/v2/{name}/blobs/uploads/{key}"
            self.answer(202, Location=place, Docker_Upload_UUID=key, Range=f"0-{max(0, len(uploads[key]) - 1)}")
            return
        content = uploads.pop(key)
        if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
            self.fault(400, "DIGEST_INVALID")
            return
        self.registry.blobs[digest] = content
        self.answer(201, Location=f"/v2/{name}/blobs/{digest}", Docker_Content_Digest=digest)

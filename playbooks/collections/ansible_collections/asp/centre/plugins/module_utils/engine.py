"""The Docker daemon of the machine that a module runs on, by its socket. Standard library only."""

import http.client
import json
import socket

SOCKET = "/run/docker.sock"


class EngineFault(Exception):
    """What is wrong: what was seen, what is wanted, the next step."""


class Engine:
    """Requests to one daemon. `path`: its socket; `timeout`: of one answer, in seconds."""

    def __init__(self, path=SOCKET, timeout=90):
        self._path, self._timeout = path, timeout

    def answers(self):
        try:
            return self._request("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def get(self, path):
        return json.loads(self._checked("GET", path))

    def post(self, path, body=None):
        text = self._checked("POST", path, body)
        return json.loads(text) if text.strip() else None

    def delete(self, path):
        self._checked("DELETE", path)

    def _checked(self, method, path, body=None):
        try:
            status, text = self._request(method, path, body)
        except OSError as error:
            raise EngineFault(
                f"Docker: {method} {path}: {error}; wanted: an answer. See journalctl -u docker"
            ) from error
        if status >= 400:
            raise EngineFault(f"Docker: {method} {path.partition('?')[0]} answered {status}: {_message(text)}")
        return text

    def _request(self, method, path, body=None):
        connection = http.client.HTTPConnection("localhost", timeout=self._timeout)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.sock.settimeout(self._timeout)
            connection.sock.connect(self._path)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()


def _message(text):
    try:
        return json.loads(text)["message"].strip()
    except (ValueError, KeyError, TypeError):
        return text.strip()

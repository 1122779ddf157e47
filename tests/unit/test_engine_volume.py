"""A volume costs the daemon one request where one says all, and two where it does not."""

from __future__ import annotations

import pytest

from stacks.engine.docker import volume


class Daemon:
    """A daemon whose plugins name a volume's place only when it is looked at."""

    def __init__(self, driver: str):
        self.driver = driver
        self.requests: list[str] = []

    def post(self, path: str, body: dict) -> dict:
        self.requests.append(f"POST {path}")
        place = "/volumes/v" if self.driver == "local" else ""
        return {"Name": body["Name"], "Driver": self.driver, "Mountpoint": place, "Labels": body["Labels"]}

    def find(self, path: str) -> dict:
        self.requests.append(f"GET {path}")
        return {"Name": "v", "Driver": self.driver, "Mountpoint": "/plugins/v", "Labels": {"a": "b"}}


@pytest.mark.parametrize(
    ("driver", "requests", "place"),
    [
        ("local", ["POST /volumes/create"], "/volumes/v"),
        ("plugin", ["POST /volumes/create", "GET /volumes/v"], "/plugins/v"),
    ],
)
def test_a_volume_is_looked_at_only_where_its_creation_does_not_say_all(driver, requests, place):
    daemon = Daemon(driver)
    identity, outputs = volume.KIND.create(daemon, {"name": "v", "labels": [{"label": "a", "value": "b"}]}, None)
    assert daemon.requests == requests
    assert identity == "v" and outputs["mountpoint"] == place and outputs["driver"] == driver
    assert outputs["labels"] == [{"label": "a", "value": "b"}] and outputs["driverOpts"] is None

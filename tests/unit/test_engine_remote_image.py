"""An image that is on nobody's registry is never asked for: what is missing is built or loaded."""

import pytest

from stacks.engine.docker import remote_image
from stacks.engine.errors import ProviderError


class Empty:
    """A daemon without images; `asked`: what it was made to pull."""

    def __init__(self):
        self.asked = []

    def find(self, path):
        return None

    def registry_auth(self, name):
        return {}

    def events(self, path, params, headers):
        self.asked.append(params["fromImage"])
        return [{"error": "no such host"}]


def test_a_missing_image_of_ours_is_one_clear_message():
    daemon = Empty()
    with pytest.raises(ProviderError, match=r"image asp.invalid/edge:0123 is not on this machine.*images.build"):
        remote_image.KIND.create(daemon, {"name": "asp.invalid/edge:0123"}, None)
    assert daemon.asked == []


def test_any_other_is_pulled_from_where_its_name_says():
    daemon = Empty()
    with pytest.raises(ProviderError, match="unable to pull image registry.example/edge:1"):
        remote_image.KIND.create(daemon, {"name": "registry.example/edge:1"}, None)
    assert daemon.asked == ["registry.example/edge"]

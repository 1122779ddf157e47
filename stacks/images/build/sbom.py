"""What is in an image, as a CycloneDX document: Debian packages, Python packages, and what was downloaded for it.

The build writes one for each image that it makes, into `.asp/sbom/`; `python -m stacks.images.build --sbom` writes
those that are missing. Packages are read in the image itself: the document says what is there, not what was asked for.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import docker

from inventory import paths
from stacks.images.build.recipe import AnyDownload, Go, Maven, downloads
from systems.shared.version import version

FOLDER = "sbom"
SPECIFICATION = "1.6"
# One line a package: kind, name, version, architecture. Python's packages are read from their folders, since images
# carry no pip; a package of Debian's own Python stands in dpkg's list already.
QUERY = r"""
dpkg-query -W -f='deb\t${Package}\t${Version}\t${Architecture}\n' 2>/dev/null
for folder in /srv/venv/lib/python3*/site-packages /usr/local/lib/python3*/dist-packages; do
  for info in "$folder"/*.dist-info/METADATA; do
    [ -f "$info" ] &&
      awk -F': ' '/^Name: /{n=$2} /^Version: /{v=$2} /^$/{exit} END{print "pypi\t" n "\t" v "\t"}' "$info"
  done
done
. /etc/os-release && printf 'os\t%s\t%s\t\n' "$ID" "$VERSION_ID"
"""


@dataclass(frozen=True, order=True)
class Component:
    """One thing in an image. `kind`: a package URL's type (deb, pypi, maven, golang)."""

    kind: str
    name: str
    version: str
    group: str = ""
    qualifiers: str = ""

    @property
    def purl(self) -> str:
        """Its package URL, by which advisories are looked up."""
        name = self.name.lower().replace("_", "-") if self.kind == "pypi" else self.name
        place = "/".join(quote(part, safe="") for part in [*self.group.split("/"), *name.split("/")] if part)
        more = f"?{self.qualifiers}" if self.qualifiers else ""
        return f"pkg:{self.kind}/{place}@{quote(self.version, safe='')}{more}"

    def document(self) -> dict[str, Any]:
        entry = {"type": "library", "bom-ref": self.purl, "name": self.name, "version": self.version, "purl": self.purl}
        return entry | ({"group": self.group} if self.group else {})


def read(answer: str) -> list[Component]:
    """The packages that the query in an image printed, sorted, each once."""
    rows = [line.split("\t") for line in answer.splitlines() if line.count("\t") == 3]
    system = next((f"{name}-{number}" for kind, name, number, _ in rows if kind == "os"), "debian")
    components = set()
    for kind, name, number, architecture in rows:
        if kind == "deb":
            components.add(Component(kind, name, number, "debian", f"arch={architecture}&distro={system}"))
        elif kind == "pypi":
            components.add(Component(kind, name, number))
    return sorted(components)


def fetched(items: Iterable[AnyDownload]) -> list[Component]:
    """What a recipe downloads besides packages: archives of Maven, commands built from Go modules."""
    components = []
    for item in items:
        if isinstance(item, Maven):
            group, artifact, number, packaging = item.artifact.split(":")
            components.append(Component("maven", artifact, number, group, f"type={packaging}"))
        elif isinstance(item, Go):
            components.append(Component("golang", item.module, item.version))
    return components


def document(image: str, components: Iterable[Component], now: dt.datetime) -> dict[str, Any]:
    """The CycloneDX document of an image. Its serial number follows from the image and its contents."""
    sorted_components = sorted(set(components))
    content = "\n".join([image, *(component.purl for component in sorted_components)])
    reference = f"image:{image}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "timestamp": now.isoformat(timespec="seconds"),
            "tools": {"components": [{"type": "application", "name": "asp-suite", "version": version()}]},
            "component": {
                "type": "container",
                "bom-ref": reference,
                "name": image.rpartition(":")[0],
                "version": tag(image),
            },
        },
        "components": [component.document() for component in sorted_components],
    }


def tag(image: str) -> str:
    return image.rpartition(":")[2]


def file_of(name: str, image: str) -> Path:
    """Where the document of an image lies: named by recipe and tag, as the image is."""
    return paths.LOCAL / FOLDER / f"{name}-{tag(image)}.cdx.json"


def write(client: docker.DockerClient, name: str, image: str) -> Path | None:
    """Write the document of an image that is here, unless it is written; its file when it was written now."""
    file = file_of(name, image)
    if file.is_file():
        return None
    answer = client.containers.run(
        image,
        ["-c", QUERY],
        entrypoint="/bin/sh",
        user="0:0",
        network_disabled=True,
        remove=True,
        stdout=True,
        stderr=False,
    )
    components = [*read(answer.decode()), *fetched(downloads(name))]
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = file.with_suffix(".new")
    content = document(image, components, dt.datetime.now(dt.UTC))
    whole.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    whole.replace(file)
    return file

"""Build the images that are missing: `python -m stacks.images.build [--list | --remove | --sbom] [NAME…]`."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker
from docker.errors import DockerException

from stacks.images.build import sbom
from stacks.images.build.downloads import DownloadFault
from stacks.images.build.local import present, provide_image, remove
from stacks.images.build.recipe import BASE, names, reference

TOGETHER = 2  # one is compiled while another one's packages are fetched


def main() -> int:
    """Exit 0 when every image is there, 1 when one cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m stacks.images.build", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(names())} (default: all)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="print each image's reference and whether it is there")
    instead.add_argument("--remove", action="store_true", help="remove every image that this project built here")
    instead.add_argument(
        "--sbom", action="store_true", help="write missing bills of materials of the images that are here"
    )
    parser.add_argument("--summary", type=Path, metavar="FILE", help="write what was built and what was there as JSON")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"unknown image: {', '.join(sorted(unknown))}; known: {', '.join(names())}")
    selected = options.names or names()
    try:
        client = docker.from_env(timeout=900)
        if options.list:
            for name in selected:
                print(f"{reference(name)}  {'present' if present(client, reference(name)) else 'missing'}")
            return 0
        if options.remove:
            print(f"{remove(client)} images removed")
            return 0
        if options.sbom:
            write_sboms(client, selected)
            return 0
        built = {BASE: provide_image(client, BASE)}
        with ThreadPoolExecutor(TOGETHER) as pool:
            others = [name for name in dict.fromkeys(selected) if name != BASE]
            built |= zip(others, pool.map(lambda name: provide_image(client, name), others), strict=True)
    except (DownloadFault, DockerException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    summary = {
        "built": [reference(name) for name, new in built.items() if new],
        "present": [reference(name) for name, new in built.items() if not new],
    }
    if options.summary:
        options.summary.write_text(json.dumps(summary), encoding="utf-8")
    print(f"{len(summary['built'])} built, {len(summary['present'])} present")
    return 0


def write_sboms(client: docker.DockerClient, selected: list[str]) -> None:
    """Bills of materials of images that are here; prints what was written, and which images are missing."""
    for name in selected:
        image = reference(name)
        if present(client, image):
            path = sbom.write(client, name, image)
            print(f"{image}  {path or 'written before'}")
        else:
            print(f"{image}  missing: build it first")


if __name__ == "__main__":
    sys.exit(main())

"""Names of images follow from all that goes into them."""

import shutil

import pytest

from inventory import paths
from stacks.images.build import downloads, local, recipe
from stacks.images.build.recipe import names


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a base and one image that copies a folder of the repository."""
    images = tmp_path / "images"
    shutil.copytree(recipe.IMAGES / "base", images / "base")
    (images / "demo").mkdir()
    (images / "demo" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\n")
    (images / "demo" / "downloads.yaml").write_text("- {kind: tree, path: code, file: code}\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("one = 1\n")
    monkeypatch.setattr(recipe, "IMAGES", images)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("BASE_IMAGE", raising=False)
    recipe.content.cache_clear()
    yield tmp_path
    recipe.content.cache_clear()


def reference(name="demo"):
    recipe.content.cache_clear()
    return recipe.reference(name)


def test_same_content_same_name(project):
    first = reference()
    (project / "code" / "__pycache__").mkdir()
    (project / "code" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert reference() == first and first.startswith("asp.invalid/demo:")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("code/a.py", "one = 2\n"),
        ("code/b.py", ""),
        ("images/demo/Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN true\n"),
        ("images/base/recipe.yaml", "suite: trixie\n"),
    ],
)
def test_any_change_is_another_name(project, file, content):
    first = reference()
    (project / file).write_text(content)
    assert reference() != first


def test_a_mode_is_content(project):
    first = reference()
    (project / "code" / "a.py").chmod(0o755)
    assert reference() != first


def test_a_given_base_is_taken_as_it_is(project, monkeypatch):
    first = reference()
    monkeypatch.setenv("BASE_IMAGE", "mirror/debian:13")
    assert reference("base") == "mirror/debian:13"
    assert reference() != first


def test_a_former_image_may_be_given(project, monkeypatch):
    assert recipe.override_variable("demo") == "ASP_IMAGE_DEMO"
    monkeypatch.setenv("ASP_IMAGE_DEMO", "asp/demo:0123456789ab")
    assert reference() == "asp/demo:0123456789ab"


def test_a_given_image_that_is_not_here_is_never_made_from_something_else(project, monkeypatch):
    monkeypatch.setenv("ASP_IMAGE_DEMO", "asp/demo:0123456789ab")
    recipe.content.cache_clear()
    monkeypatch.setattr(local, "present", lambda *_: False)
    monkeypatch.setattr(local, "_build", lambda *_: pytest.fail("it was built"))
    with pytest.raises(
        downloads.DownloadFault, match="ASP_IMAGE_DEMO=asp/demo:0123456789ab: no such image on this machine"
    ):
        local.provide_image(None, "demo")


def test_where_an_image_is_kept_is_no_part_of_its_content(project, monkeypatch):
    here = reference()
    monkeypatch.setattr(recipe, "REGISTRY", "registry.example:5000")
    assert reference() == here.replace("asp.invalid/", "registry.example:5000/")


def test_every_name_has_a_host_that_is_nobodys():
    for name in names():
        assert recipe.reference(name).startswith("asp.invalid/"), "without a host it is a name on a public registry"


def test_unknown_image_names_the_known(project):
    with pytest.raises(ValueError, match=r"image 'edgy': wanted one of base, demo"):
        reference("edgy")


def test_a_download_with_another_hash_is_refused_and_removed(project):
    file = project / "file"
    file.write_bytes(b"something else")
    download = recipe.Maven(kind="maven", artifact="g:a:1:zip", file="a.zip", sha256="0" * 64)
    with pytest.raises(downloads.DownloadFault, match="g:a:1:zip: SHA-256 seen .*, wanted 000"):
        downloads._verify(file, download)
    assert not file.exists()


def test_every_real_image_has_a_name():
    recipe.content.cache_clear()
    references = [recipe.reference(name) for name in names()]
    assert len(references) >= 8 and len(set(references)) == len(references)


def test_no_program_of_an_image_gains_rights_by_another():
    """Only a stand-in's may: it stands in for a PC, whose administrator comes in by sudo."""
    images = [name for name in names() if name not in (recipe.BASE, "workstation")]
    assert len(images) == 7
    for name in images:
        text = (recipe.IMAGES / name / "Dockerfile").read_text(encoding="utf-8")
        (entrypoint,) = [line for line in text.splitlines() if line.startswith("ENTRYPOINT ")]
        assert entrypoint.startswith('ENTRYPOINT ["setpriv", "--no-new-privs", "--"'), name

"""An export is checked against its manifest; names of tables cannot break out of the script."""

import io
import json
import tarfile
from types import SimpleNamespace

import pytest

from centre.database import export as export_module
from centre.database.export import MANIFEST, ExportFault, _described, _script, verify


def export_in(folder):
    (folder / "irat.document.csv").write_text("id,subject\n1,Ágnes\n", encoding="utf-8")
    (folder / "t16054.dump").write_bytes(b"PGDMP")
    files = [_described(file) for file in sorted(folder.iterdir())]
    (folder / MANIFEST).write_text(json.dumps({"files": files}))
    return folder


def test_an_export_is_whole(tmp_path):
    assert verify(export_in(tmp_path)) == []


@pytest.mark.parametrize("text", ["id,subject\n", "id,subject\n2,Ágnes\n"])
def test_a_changed_file_is_seen(tmp_path, text):
    (export_in(tmp_path) / "irat.document.csv").write_text(text, encoding="utf-8")
    assert verify(tmp_path) == ["irat.document.csv: sha256 differs from the manifest"]


def test_a_lost_file_is_seen(tmp_path):
    (export_in(tmp_path) / "t16054.dump").unlink()
    assert verify(tmp_path) == ["t16054.dump: missing"]


def test_table_names_are_quoted_in_the_script():
    script = _script("t16054", [("irat", 'a"b', '"id"')])
    assert """\\copy (SELECT * FROM "irat"."a""b" ORDER BY "id") TO 'irat.a"b.csv'""" in script


WHOLE = {"t16054.dump": b"PGDMP", "irat.document.csv": b"id\n1\n", "migrations.json": b"[]"}


@pytest.fixture
def export(monkeypatch, tmp_path):
    """`export(files)`: exports t16054, whose one table is irat.document, when the node sends these files."""
    cell = SimpleNamespace(cell_id="baz1", rows=lambda sql, database: [("irat", "document", '"id"')])

    def go(files):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as bundle:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                bundle.addfile(entry, io.BytesIO(content))
        monkeypatch.setattr(export_module, "_stream", lambda *_: iter([archive.getvalue()]))
        return export_module.export(cell, "t16054", tmp_path / "exports")

    return go


def test_what_is_complete_gets_its_name_and_is_the_operators_alone(export):
    folder = export(WHOLE)
    assert sorted(file.name for file in folder.iterdir()) == ["irat.document.csv", MANIFEST, "t16054.dump"]
    assert verify(folder) == [] and folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "files",
    [
        {name: content for name, content in WHOLE.items() if name != "irat.document.csv"},
        {name: content for name, content in WHOLE.items() if name != "t16054.dump"},
        {**WHOLE, "failed": b""},  # pg_dump ended with a fault
    ],
)
def test_what_is_not_complete_leaves_nothing(export, tmp_path, files):
    with pytest.raises(ExportFault, match="t16054: wanted files"):
        export(files)
    assert list((tmp_path / "exports").iterdir()) == []


def test_a_file_of_a_nodes_archive_lands_in_the_export_or_nowhere(export, tmp_path):
    with pytest.raises(tarfile.TarError):
        export({**WHOLE, "../../elsewhere": b"x"})
    assert not (tmp_path / "elsewhere").exists() and list((tmp_path / "exports").iterdir()) == []


def test_dump_and_tables_are_of_one_moment():
    lines = _script("t16054", [("irat", "document", None)]).splitlines()
    begin = lines.index("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;")
    dump = next(i for i, line in enumerate(lines) if "pg_dump" in line)
    copy = next(i for i, line in enumerate(lines) if "irat.document.csv" in line)
    assert begin < dump < copy < lines.index("COMMIT;") and "--snapshot=$SNAPSHOT" in lines[dump]
    assert lines[dump].endswith("|| touch failed"), "psql goes on after it"

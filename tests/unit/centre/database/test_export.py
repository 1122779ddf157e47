"""An export is checked against its manifest; names of tables cannot break out of the script."""

import json

from centre.database.export import MANIFEST, _described, _script, verify


def exported(folder):
    (folder / "irat.document.csv").write_text("id,subject\n1,Ágnes\n", encoding="utf-8")
    (folder / "t16054.dump").write_bytes(b"PGDMP")
    files = [_described(file) for file in sorted(folder.iterdir())]
    (folder / MANIFEST).write_text(json.dumps({"files": files}))
    return folder


def test_an_export_is_whole(tmp_path):
    assert verify(exported(tmp_path)) == []


def test_a_changed_file_is_seen(tmp_path):
    (exported(tmp_path) / "irat.document.csv").write_text("id,subject\n", encoding="utf-8")
    assert verify(tmp_path) == ["irat.document.csv: sha256 differs from the manifest"]


def test_a_lost_file_is_seen(tmp_path):
    (exported(tmp_path) / "t16054.dump").unlink()
    assert verify(tmp_path) == ["t16054.dump: missing"]


def test_table_names_are_quoted_in_the_script():
    script = _script("t16054", [("irat", 'a"b', '"id"')])
    assert """\\copy (SELECT * FROM "irat"."a""b" ORDER BY "id") TO 'irat.a"b.csv'""" in script

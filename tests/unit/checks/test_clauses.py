"""The auditor's table of clauses and checks is exactly what the catalogue and the SLA say."""

from __future__ import annotations

import pytest

from checks import catalogue as catalogues
from checks import clauses
from inventory import register as registers
from inventory.errors import RegisterError

REMEDY = "run `python -m checks.clauses --write`"


@pytest.fixture(scope="module")
def register():
    return registers.load(clauses.ENVIRONMENT)


@pytest.fixture(scope="module")
def table():
    return clauses.current()


def test_the_handbook_holds_what_is_generated(table):
    text = clauses.HANDBOOK.read_text(encoding="utf-8")
    assert clauses.replaced(text, table) == text, f"docs/handbook/auditor.md is out of date: {REMEDY}"


def test_every_clause_and_every_check_is_in_the_table_once(register, table):
    catalogue = catalogues.load(register)
    assert len(catalogue) >= 70 and len(register.sla) >= 13
    for check in catalogue:
        assert table.count(f"| `{check.id}` |") == 1, check.id
        assert check.source in table and f"(../runbooks/{check.runbook})" in table, check.id
    for clause in register.sla.values():
        assert table.count(f"\n### {clause.id}: {clause.title}\n") == 1, clause.id
        assert table.count(f"\n| {clause.id} | {clause.title} | ") == 1, clause.id


def test_a_clause_that_nothing_proves_is_said_to_have_no_check(register):
    catalogue = catalogues.load(register)
    lonely = next(iter(register.sla.values())).model_copy(update={"id": "lonely", "title": "Magányos"})
    assert clauses.markdown(catalogue, [lonely]).endswith("### lonely: Magányos\n\nNo check proves this clause.\n")


def test_assumed_values_are_shown_as_assumed(register, table):
    for clause in register.sla.values():
        row = next(line for line in table.splitlines() if line.startswith(f"| {clause.id} | "))
        assert (" | assumed | " in row) == (clause.status == "assumed"), row


def test_a_bar_in_a_text_does_not_split_a_cell(register):
    clause = next(iter(register.sla.values())).model_copy(update={"title": "ez | az"})
    assert r"| ez \| az |" in clauses.markdown(catalogues.load(register), [clause])


@pytest.mark.parametrize("text", ["no markers", clauses.BEGIN, clauses.END + clauses.BEGIN])
def test_a_file_without_its_markers_is_refused(text):
    with pytest.raises(RegisterError, match="checks:begin.*checks:end"):
        clauses.replaced(text, "table\n")


def test_writing_changes_the_table_alone_and_only_once(tmp_path, capsys, table):
    file = tmp_path / "auditor.md"
    file.write_text(f"before\n\n{clauses.BEGIN}\nold\n{clauses.END}\n\nafter\n", encoding="utf-8")
    assert clauses.main(["--write"], file) == 0
    assert file.read_text(encoding="utf-8") == f"before\n\n{clauses.BEGIN}\n\n{table}\n{clauses.END}\n\nafter\n"
    assert clauses.main(["--write"], file) == 0
    assert [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()] == ["updated", "unchanged"]


def test_printing_shows_the_table(capsys, table):
    assert clauses.main([]) == 0
    assert capsys.readouterr().out == table


def test_faults_of_the_file_are_told_with_exit_code_2(tmp_path, capsys):
    file = tmp_path / "auditor.md"
    file.write_text("nothing here\n", encoding="utf-8")
    assert clauses.main(["--write"], file) == 2
    assert "Put both into the file" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "nothing here\n"

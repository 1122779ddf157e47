"""The table of coverage adds up files by folder, and shows nothing as whole that is not."""

import pytest

from tests.covered import folder_of, share, table


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("checks/run.py", "checks"),
        ("centre/verbs/cli/main.py", "centre/verbs"),
        ("stacks/images/etcd/asp_failover/fence.py", "stacks/images/etcd"),
        ("setup.py", "."),
    ],
)
def test_a_file_belongs_to_its_first_two_folders(file, folder):
    assert folder_of(file) == folder


@pytest.mark.parametrize(("part", "whole", "text"), [(0, 0, "–"), (199, 200, "99 %"), (200, 200, "100 %")])
def test_only_all_is_a_hundred_per_cent(part, whole, text):
    assert share(part, whole) == text


def summary(statements: int, covered: int, branches: int, hits: int) -> dict:
    counts = {"num_statements": statements, "covered_lines": covered}
    return {"summary": {**counts, "num_branches": branches, "covered_branches": hits}}


def test_folders_are_summed_up_and_so_is_all():
    files = {"a/b/x.py": summary(10, 5, 4, 1), "a/b/y.py": summary(10, 10, 0, 0), "c/z.py": summary(80, 40, 6, 6)}
    rows = [line.split() for line in table(files)]
    assert rows[1:] == [
        ["a/b", "2", "20", "75", "%", "4", "25", "%"],
        ["c", "1", "80", "50", "%", "6", "100", "%"],
        ["all", "3", "100", "55", "%", "10", "70", "%"],
    ]

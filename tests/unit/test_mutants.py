"""Mutants stand where they say, so that the bench never plants nothing and calls it noticed."""

import ast
import os
import subprocess
from functools import cache

import pytest

from inventory import paths
from tests.mutants import catalogue
from tests.mutants.bench import MISSED, NOTICED, SLOW, Bench
from tests.mutants.catalogue import Mutant, MutantFault

MUTANTS = catalogue.mutants()


def test_there_are_mutants_of_each_area_and_each_is_named_once():
    assert len({(mutant.area, mutant.id) for mutant in MUTANTS}) == len(MUTANTS) >= 100
    assert len({mutant.area for mutant in MUTANTS}) >= 10


@cache
def text_of(name):
    return (paths.ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.area}-{mutant.id}")
def test_a_mutant_can_be_planted_and_has_tests(mutant):
    text = text_of(mutant.file)
    assert text.count(mutant.before) == 1 and mutant.before != mutant.after
    if mutant.file.endswith(".py"):
        ast.parse(text.replace(mutant.before, mutant.after), mutant.file)
    assert mutant.tests and mutant.why
    of_systems = {test.startswith("tests/systems") for test in mutant.tests}
    assert len(of_systems) == 1, "both set Django up, so together they fail without any fault"
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert (paths.ROOT / file).exists() and f"def {name}" in (name and text_of(file) or "def ")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\ny = 2\n")
    return tmp_path


def mutant(before="x = 1", after="x = 2"):
    return Mutant("area", "M1", "a.py", before, after, "a test", ("a.py",))


def test_planting_changes_the_one_place_and_tells_what_was_there(tree):
    assert mutant().plant(tree) == "x = 1\ny = 2\n"
    assert (tree / "a.py").read_text() == "x = 2\ny = 2\n"


@pytest.mark.parametrize(("before", "after", "says"), [("z", "w", "stands 0 times"), (" = ", "=", "stands 2 times"),
                                                       ("x = 1", "x = 1", "are the same")])  # fmt: skip
def test_a_place_that_is_not_there_is_a_fault(tree, before, after, says):
    with pytest.raises(MutantFault, match=says):
        mutant(before, after).plant(tree)


def test_what_is_known_of_a_mutant_ends_with_a_change_of_its_file_or_tests(tree):
    before = mutant().digest(tree)
    assert mutant().digest(tree) == before != mutant(after="x = 3").digest(tree)
    (tree / "a.py").write_text("x = 1\n")
    assert mutant().digest(tree) != before


def test_areas_ids_and_paths_choose(monkeypatch):
    monkeypatch.setattr(catalogue, "mutants", lambda: MUTANTS)
    assert {m.area for m in catalogue.matching(["cell"])} == {"cell"}
    assert [m.id for m in catalogue.matching(["register/R12"])] == ["R12"]
    assert {m.file.split("/")[0] for m in catalogue.matching(["checks/"])} == {"checks"}
    assert catalogue.matching([]) == MUTANTS
    with pytest.raises(MutantFault, match="no mutant fits moon"):
        catalogue.matching(["moon"])


TESTS = """
import time
import a

def test_value(): assert a.x == 1
def test_slow():
    while a.x == 3: time.sleep(0.01)
"""


@pytest.fixture
def small(tree):
    (tree / "test_a.py").write_text(TESTS)
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    with Bench(tree, modules=["pytest"]) as bench:
        yield bench


def test_a_bench_sees_each_fault_and_its_end_however_fast(small):
    place = small.root / "a.py"
    then = place.stat()
    for text, outcome in (("x = 1", MISSED), ("x = 2", NOTICED), ("x = 1", MISSED)):
        place.write_text(f"{text}\ny = 2\n")
        os.utime(place, ns=(then.st_atime_ns, then.st_mtime_ns))
        assert small.run(["test_a.py::test_value"]) == outcome


def test_a_bench_ends_what_runs_on_and_works_on(small):
    (small.root / "a.py").write_text("x = 3\ny = 2\n")
    assert small.run(["test_a.py::test_slow"], seconds=0.5) == SLOW
    assert small.run(["test_a.py::test_value"]) == NOTICED


def test_no_test_is_a_fault_and_no_verdict(small):
    with pytest.raises(MutantFault, match="(?s)pytest could not run test_b.py: .*not found: test_b.py"):
        small.run(["test_b.py"])

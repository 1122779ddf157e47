"""The documents keep their form: width, links, paths, words, decisions. Each rule is broken once, to see it bite."""

from __future__ import annotations

import re
import shutil

import pytest

from inventory import paths
from tests.support import decisions, documents

INDEX = paths.ROOT / "docs" / "README.md"
ADR = paths.ROOT / "docs" / "adr"
RULES = [
    documents.too_wide,
    documents.foreign,
    documents.dead_links,
    documents.dead_paths,
    documents.lonely_benches,
]


def test_the_documents_were_read():
    names = {str(file.relative_to(paths.ROOT)) for file in documents.files(paths.ROOT)}
    assert len(names) >= 55
    assert names >= {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "roles/README.md", "docs/README.md"}
    assert len(decisions.records(ADR)) >= 26


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_document_breaks(rule):
    faults = list(rule(paths.ROOT))
    assert not faults, "\n".join(faults)


def test_every_document_is_in_the_index_by_reader():
    faults = list(documents.unlisted(paths.ROOT, INDEX))
    assert not faults, "\n".join(faults)


def test_every_decision_has_the_form():
    faults = list(decisions.formless(ADR))
    assert not faults, "\n".join(faults)


def test_the_index_of_decisions_is_right():
    faults = list(decisions.out_of_index(ADR))
    assert not faults, "\n".join(faults)


def test_the_licence_is_there_in_full():
    text = (paths.ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n") and "15.Applicable Law" in text
    assert "European Union Public Licence (EUPL) v. 1.1, v. 1.2" in text


@pytest.fixture
def tree(tmp_path):
    """A small tree without a fault: `plant` adds to its document."""
    for file in ("inventory/names.py", "docs/other.md", "systems/core/templates/core/form.html"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("# Heading\n\ndef slug(): ...\n", encoding="utf-8")
    (tmp_path / "inventory" / "environments" / "dev" / "offices").mkdir(parents=True)
    (tmp_path / "README.md").write_text("[other](docs/other.md)\n", encoding="utf-8")
    return tmp_path


def plant(tree, text):
    (tree / "docs" / "other.md").write_text(f"# Heading\n\n{text}\n", encoding="utf-8")


SOUND = (
    """\
See [the top](#heading), [other](other.md#heading), [elsewhere](https://example.org/x) and `inventory/names.py`.

- `inventory/environments/<env>/offices/`, `core/form.html`, `inventory.names.slug("x")`
- `.asp/<env>/none.yml`, `names.py`
- in a file of `inventory/environments/<env>/waivers.yaml`, which comes later

The failover of a leader (bench D1) takes time.

| a row of a table | cannot be broken |
"""
    + f"| as long | {'x' * 130} | as it is |"
)


def test_a_sound_document_has_no_fault(tree):
    plant(tree, SOUND)
    assert [fault for rule in RULES for fault in rule(tree)] == []


@pytest.mark.parametrize(
    ("rule", "text", "says"),
    [
        (documents.too_wide, "word " * 30, r"docs/other.md:3: 15\d columns"),
        (documents.too_wide, f"- see `{'x' * 120}` there", r"docs/other.md:3: 13\d columns"),
        (documents.foreign, "for the reasons in PITFALLS", "docs/other.md:3: cites 'PITFALLS'"),
        (documents.foreign, "(DOMAIN, Contract)", "cites 'DOMAIN'"),
        (documents.foreign, "as `../shared/targets.md` says", "cites '../shared/'"),
        (documents.dead_links, "[gone](gone.md)", "link to gone.md: no such file"),
        (documents.dead_links, "[out](../../x.md)", "no such file"),
        (documents.dead_links, "[gone](other.md#gone)", "link to other.md#gone: no such section"),
        (documents.dead_links, "[gone](#gone)", "link to #gone: no such section"),
        (documents.dead_links, "![picture](pictures/gone.png)", "no such file"),
        (documents.dead_paths, "`inventory/gone.py`", "inventory/gone.py: no such path"),
        (documents.dead_paths, "```\npython inventory/gone.py -x\n```", "inventory/gone.py: no such path"),
        (documents.dead_paths, "`inventory/environments/<env>/gone/`", "inventory/environments/<env>/gone: no such"),
        (documents.dead_paths, "`core/gone.html`", "core/gone.html: no such path"),
        (documents.dead_paths, "`gone.py`", "gone.py: no such path"),
        (documents.dead_paths, "`inventory.gone`", "inventory.gone: no such path or module"),
        (documents.dead_paths, "`inventory.names.gone(1)`", "inventory.names.gone: no such path or module"),
        (documents.lonely_benches, "Target D2 allows 2.5 s.", "D2 in .Target D2 allows 2.5 s.. without a word"),
    ],
)
def test_a_planted_fault_is_found(tree, rule, text, says):
    plant(tree, text)
    faults = list(rule(tree))
    assert len(faults) == 1, faults
    assert re.search(says, faults[0]), faults


def test_a_document_outside_the_index_is_found(tree):
    index = tree / "docs" / "README.md"
    index.write_text("nothing\n", encoding="utf-8")
    assert list(documents.unlisted(tree, index)) == ["docs/other.md: is not in docs/README.md"]


@pytest.fixture
def adr(tmp_path):
    """A copy of the decisions."""
    return shutil.copytree(ADR, tmp_path / "adr")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# 0001. ", "# 1. ", "0001-one-office-model.md: wanted '# NNNN. Title'"),
        ("- Status: accepted", "Status: accepted", "wanted '# NNNN. Title', '- Status: …'"),
        ("- Status: accepted", "- Status: perhaps", "wanted '# NNNN. Title', '- Status: …'"),
        ("- Date: 2026-11-23", "- Date: yesterday", "'- Date: YYYY-MM-DD'"),
        ("# 0001. ", "# 0003. ", "0001-one-office-model.md: wanted 0003-<words>.md"),
        ("## Decision", "## Choice", "sections Context, Choice, Consequences; wanted Context, Decision"),
        ("## Decision\n", "## Decision\n\n## Measured\n", "## Decision is empty"),
    ],
)
def test_a_record_without_the_form_is_found(adr, old, new, says):
    file = adr / "0001-one-office-model.md"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(says in fault for fault in decisions.formless(adr)), list(decisions.formless(adr))


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("0001-one-office-model.md", "0001. Own", "0001. Our own", "title 'Our own and joint offices share one model'"),
        ("0001-one-office-model.md", "2026-11-23", "2026-11-24", "date '2026-11-24', but the index says '2026-11-23'"),
        ("0001-one-office-model.md", "Status: accepted", "Status: rejected", "status 'rejected', but the index says"),
        ("README.md", "| [0001](0001-one-office-model.md)", "| 1", "0001-one-office-model.md: is not in the index"),
        ("README.md", "accepted, amended by 0031", "accepted", "changed by ['0031'], but the index says 'accepted'"),
        ("README.md", "(0001-one-office-model.md)", "(0001-gone.md)", "0001-gone.md: no such record"),
        ("README.md", "Numbers 17, 18,", "Numbers 18,", "explains numbers [18, 19, 21, 23, 25], but [17, 18,"),
        (
            "0016-a-leader-is-released-only-on-proof.md",
            "[0030]",
            "0030",
            "0030: its status names 0016, whose status does",
        ),
    ],
)
def test_an_index_that_is_not_right_is_found(adr, file, old, new, says):
    text = (adr / file).read_text(encoding="utf-8")
    assert old in text
    (adr / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(says in fault for fault in decisions.out_of_index(adr)), list(decisions.out_of_index(adr))

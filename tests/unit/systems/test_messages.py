"""What systems may say to each other is exactly what their code says and takes: no more, no less."""

import ast
import re
from functools import cache

import pytest

from inventory import paths
from systems.shared import messages, parts

HOME = paths.ROOT / "systems"
SYSTEMS = {file.parent.name for file in HOME.glob("*/urls.py")}


@cache
def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def calls(path, *names):
    """Arguments of the calls of functions in a file: positional ones as literals, None where they are none."""
    tree = tree_of(HOME / path)
    pairs = [
        [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", None)) in names
    ]
    assert pairs, f"{path} calls none of {', '.join(names)}"
    return pairs


def systems_with(pattern):
    """Systems one of whose modules has a line that matches."""
    return {
        system
        for system in SYSTEMS
        if any(re.search(pattern, file.read_text(encoding="utf-8"), re.M) for file in (HOME / system).rglob("*.py"))
    }


def messages_sent():
    """Every message that the code sends. Calls of `send` outside of these files fail the test below."""
    importing = {system for system in SYSTEMS if parts.imports(system)}
    dealing = {target for file in (HOME / "elugy/catalogue").glob("*.py") for target in targets(file)}
    yield from (
        (system, target, topic) for system in SYSTEMS for target, topic, *_ in calls("shell/sign_in.py", "send")
    )
    yield from (
        (system, target, topic) for system in SYSTEMS for target, topic, *_ in calls("shell/presence.py", "send")
    )
    for target, topic, *_ in calls("shell/activity.py", "send"):
        yield from ((system, target, topic) for system in systems_with(r"^from systems\.shell import .*\bactivity\b"))
    for target, topic, *_ in calls("exchange/feeding.py", "send"):
        yield from ((system, target, topic) for system in SYSTEMS if parts.delivers(system))
    (status, decision) = calls("exchange/cases.py", "send")
    yield from ((system, *status[:2]) for system in systems_with(r"\bcases\.(send_status|ask_for)\("))
    yield from ((system, *decision[:2]) for system in systems_with(r"\bcases\.send_decision\("))
    for topic, *_ in calls("exchange/importing.py", "_answer"):
        yield from ((system, "migration", topic) for system in importing)
    for _, topic, *_ in calls("migration/flow.py", "_ask"):
        yield from (("migration", system, topic) for system in importing)
    for _, topic, *_ in calls("irat/chain.py", "send"):
        yield from (("irat", system, topic) for system in dealing)
    for target, topic, *_ in calls("elugy/submitting.py", "send"):
        yield "elugy", target, topic


def targets(file):
    """Systems that a form's definition names."""
    return [
        node.value.value
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.keyword) and node.arg == "target" and getattr(node.value, "value", None)
    ]


def handlers():
    """(system, topic) of every handler."""
    for file in HOME.glob("*/*.py"):
        for node in ast.walk(tree_of(file)):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                name = getattr(getattr(mark, "func", None), "id", None)
                if name == "handles":
                    yield file.parent.name, mark.args[0].value
                elif name == "handles_everywhere":
                    yield from ((system, mark.args[0].value) for system in SYSTEMS if parts.imports(system))


def test_exactly_what_is_sent_is_allowed():
    assert set(messages_sent()) == messages.ALLOWED


def test_exactly_what_is_allowed_is_handled():
    assert set(handlers()) == {(allowed.target, allowed.topic) for allowed in messages.ALLOWED}


def test_no_other_module_sends():
    sending = {
        str(file.relative_to(HOME))
        for file in HOME.rglob("*.py")
        if re.search(r"(?<!def )(?<![\w.])send\(", file.read_text(encoding="utf-8"))
    }
    assert sending == {
        "elugy/submitting.py",
        "exchange/cases.py",
        "exchange/feeding.py",
        "exchange/importing.py",
        "irat/chain.py",
        "migration/flow.py",
        "shell/activity.py",
        "shell/presence.py",
        "shell/sign_in.py",
    }


def test_every_topic_says_what_it_holds_and_every_system_is_known():
    assert {allowed.topic for allowed in messages.ALLOWED} == set(messages.FIELDS)
    assert set(messages.SYSTEMS) == SYSTEMS


def test_what_changed_is_written_into_the_databases_by_a_migration():
    newest = max(file for file in (HOME / "chain/migrations").glob("*.py") if "rewrite()" in file.read_text())
    assert f'FINGERPRINT = "{messages.fingerprint()}"' in newest.read_text(encoding="utf-8"), (
        "what is allowed changed: add a migration of the chain with rewrite() and this fingerprint"
    )


@pytest.mark.parametrize(
    ("source", "target", "topic"),
    [
        ("portal", "keret", "import-apply"),
        ("portal", "ado", "case"),
        ("portal", "iparker", "import-check"),
        ("elugy", "keret", "activity"),
        ("gazd", "elugy", "status"),
        ("keret", "keret", "signed-out"),
    ],
)
def test_a_break_in_at_one_system_writes_nothing_of_another(source, target, topic):
    assert "may send it there" in messages.refusal(source, target, topic, {})


def read_by_handlers(topic):
    """Names that handlers of a topic read of a body: `body["x"]`, without a `body.get("x")` that looks first."""
    fields = set()
    for file in HOME.glob("*/*.py"):
        for node in ast.walk(tree_of(file)):
            if topic in [mark.args[0].value for mark in getattr(node, "decorator_list", ()) if is_of_a_handler(mark)]:
                text = ast.unparse(node).replace("'", '"')
                fields |= set(re.findall(r'\bbody\["(\w+)"\]', text)) - set(re.findall(r'\bbody\.get\("(\w+)"', text))
    return fields


def is_of_a_handler(mark):
    return getattr(getattr(mark, "func", None), "id", None) in ("handles", "handles_everywhere")


@pytest.mark.parametrize("topic", sorted(messages.FIELDS))
def test_what_a_handler_reads_a_body_must_hold(topic):
    """Else a message that lacks it is tried for a day, instead of being refused at once with its cause."""
    fields = read_by_handlers(topic)
    assert fields and fields <= messages.FIELDS[topic], fields - messages.FIELDS[topic]
    for name in messages.FIELDS[topic]:
        source, target, _ = next(allowed for allowed in messages.ALLOWED if allowed.topic == topic)
        body = dict.fromkeys(messages.FIELDS[topic] - {name})
        assert f"its body lacks {name}" in messages.refusal(source, target, topic, body)


@pytest.mark.parametrize(
    ("body", "wrong"), [([], "its body is a list"), ({"username": "a", "at": "b"}, "lacks name, roles")]
)
def test_a_malformed_body_is_refused_in_words(body, wrong):
    assert wrong in messages.refusal("irat", "keret", "signed-in", body)
    assert messages.refusal("irat", "keret", "signed-in", dict.fromkeys(("username", "name", "roles", "at"))) is None


def test_a_handler_of_what_nobody_may_send_is_refused():
    from systems.chain import registry

    def handler(message):
        pass

    handler.__module__ = "systems.irat.chain"
    with pytest.raises(ValueError, match="topic 'unheard-of' has a handler and no sender"):
        registry.handles("unheard-of")(handler)

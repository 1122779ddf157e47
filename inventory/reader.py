"""Reading register files into models: every fault is gathered, in words that name value, wish and remedy."""

from __future__ import annotations

import difflib
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from inventory.errors import Fault

M = TypeVar("M", bound=BaseModel)
# libyaml's loader reads the whole country (4,400 files) about eight times faster than the one in Python.
FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _DuplicateKey(Exception):
    """A key written twice; arguments: the key, both lines."""


TEXT, LIST, FIELDS, MERGE = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map", "merge"))


class _Loader(FastLoader):  # type: ignore[misc, valid-type]
    """The safe loader, which tells once what kind of value a text is: the country's files hold 120,000 of few kinds."""

    _tags: ClassVar[dict[tuple[str, tuple[bool, bool]], str]] = {}

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return str(super().resolve(kind, value, implicit))
        tag = self._tags.get((value, implicit))
        if tag is None:
            tag = self._tags[value, implicit] = str(super().resolve(kind, value, implicit))
        return tag


class _Document:
    """What a safe loader makes of a YAML document, in half its time; a key written twice is refused."""

    def __init__(self, text: bytes):
        self._loader = _Loader(text)
        self._built: dict[int, Any] = {}  # by node: an alias is the thing itself, and not built again

    def value(self) -> Any:
        try:
            root = self._loader.get_single_node()
            return None if root is None else self._value(root)
        finally:
            self._loader.dispose()

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return node.value if node.tag == TEXT else self._loader.construct_object(node)
        if id(node) not in self._built:
            self._built[id(node)] = None
            self._built[id(node)] = self._collection(node)
        return self._built[id(node)]

    def _collection(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode) and node.tag == LIST:
            return [self._value(item) for item in node.value]
        if (
            not isinstance(node, yaml.MappingNode)
            or node.tag != FIELDS
            or any(key.tag == MERGE for key, _ in node.value)
        ):
            return self._loader.construct_object(node, deep=True)
        fields: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._value(key_node)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a list or fields as a name", key_node.start_mark)
            if key in fields:
                first = next(other for other, _ in node.value if self._value(other) == key)
                raise _DuplicateKey(key, first.start_mark.line + 1, key_node.start_mark.line + 1)
            fields[key] = self._value(value_node)
        return fields


class Reader:
    """Reads files below `root` (the folder `inventory/`); `faults` grows with what is wrong in them."""

    def __init__(self, root: Path):
        self.root = root
        self.faults: list[Fault] = []

    def read_model(self, path: Path, model: type[M], context: Mapping[str, Any] | None = None) -> M | None:
        """The file as one model, or None with a fault. `context`: what the model's validators are given."""
        data = self._yaml(path)
        if data is None:
            return None
        if not isinstance(data, dict):
            self._fault(path, "(file)", type(data).__name__, "wanted fields", "Write lines such as 'name: value'")
            return None
        return self._build(path, "", data, model, context)

    def read_list(self, path: Path, model: type[M]) -> list[tuple[str, M]]:
        """The file as a list of models, each with the place it stands at (`[3]`)."""
        data = self._yaml(path)
        if data is None:
            return []
        if not isinstance(data, list):
            self._fault(path, "(file)", type(data).__name__, "wanted a list", "Start each entry with '- '")
            return []
        built = ((f"[{i}]", self._build(path, f"[{i}].", item, model)) for i, item in enumerate(data))
        return [(place, item) for place, item in built if item is not None]

    def folder(self, path: Path, model: type[M], context: Mapping[str, Any] | None = None) -> dict[Path, M]:
        """Every `*.yaml` of a folder by its path; a file that would be passed over is a fault."""
        entries: dict[Path, M] = {}
        for name in sorted(os.listdir(path)) if path.is_dir() else []:
            file = path / name
            if file.suffix != ".yaml":
                problem = "is not read: register files end in .yaml"
                self._fault(file, "(file name)", file.name, problem, "Rename or remove it")
            elif (entry := self.read_model(file, model, context)) is not None:
                entries[file] = entry
        return entries

    def name(self, path: Path) -> str:
        """A file's path as faults show it: from the repository's root."""
        return str(path.relative_to(self.root.parent))

    def _fault(self, path: Path, field: str, value: object, problem: str, remedy: str) -> None:
        self.faults.append(Fault(self.name(path), field, value, problem, remedy))

    def _yaml(self, path: Path) -> Any:
        try:
            data = _Document(path.read_bytes()).value()
        except _DuplicateKey as error:
            key, first, second = error.args
            self._fault(path, str(key), "(twice)", f"stands on line {first} and again on line {second}", "Keep one")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "(file)"
            problem = getattr(error, "problem", None) or str(error)
            self._fault(path, place, "(text)", f"is not YAML: {problem}", "Correct that line (indent with spaces)")
        except OSError as error:
            self._fault(path, "(file)", error.strerror, "cannot be read", "Put it there, readable")
        else:
            if data is None:
                self._fault(path, "(file)", "", "is empty", "Write its entries or remove it")
            return data
        return None

    def _build(
        self, path: Path, place: str, data: Any, model: type[M], context: Mapping[str, Any] | None = None
    ) -> M | None:
        try:
            return model.model_validate(data, context=context)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                field = place + ".".join(str(part) for part in item["loc"] if part != "[key]")
                problem, remedy = explain(dict(item), model)
                value = None if item["type"] == "missing" else item.get("input")
                self._fault(path, field.rstrip("."), value, problem, remedy)
            return None


WANTED = {
    "string_type": "text, in quotes",
    "int_type": "a whole number, without quotes",
    "int_from_float": "a whole number",
    "float_type": "a number, without quotes",
    "bool_type": "true or false, without quotes",
    "dict_type": "fields ('name: value' lines)",
    "model_type": "fields ('name: value' lines)",
    "model_attributes_type": "fields ('name: value' lines)",
    "list_type": "a list ('- ' lines or [a, b])",
}
LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "string_too_short": ("min_length", "characters: at least"),
    "string_too_long": ("max_length", "characters: at most"),
    "too_short": ("min_length", "entries: at least"),
    "too_long": ("max_length", "entries: at most"),
}


def explain(item: dict[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    """One of pydantic's errors as (problem, remedy)."""
    kind, context = item["type"], item.get("ctx", {})
    name = str(item["loc"][-1]) if item["loc"] else ""
    if kind == "missing":
        return "is missing", f"Add {name}{_purpose(model, item['loc'])}"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, _all_fields(model), 1)
        field_names = ", ".join(model.model_fields)
        return "no such field", f"Write {near[0]} instead" if near else f"Remove it; known: {field_names}"
    if kind in WANTED:
        return f"wrong type ({_type_name(item['input'])})", f"Wanted: {WANTED[kind]}{_purpose(model, item['loc'])}"
    if kind in LIMITS:
        key, words = LIMITS[kind]
        return "out of bounds", f"Wanted: {words} {context[key]}"
    if kind == "string_pattern_mismatch":
        return "not of the form wanted", f"Wanted: {context['pattern']}{_purpose(model, item['loc'])}"
    if kind in ("literal_error", "enum"):
        return "not one of the values known", f"Wanted: {context['expected']}"
    if kind == "value_error":
        return "cannot be used", f"Wanted: {context['error']}"
    return item["msg"], f"See class {model.__name__} in inventory/models.py"


def _type_name(value: object) -> str:
    words = {str: "text", int: "number", float: "number", bool: "true/false", list: "list", dict: "fields"}
    return words.get(type(value), "nothing" if value is None else type(value).__name__)


def _purpose(model: type[BaseModel], location: tuple[Any, ...]) -> str:
    """` (description)` of a top-level field that has one."""
    field = model.model_fields.get(str(location[0])) if len(location) == 1 else None
    return f" ({field.description})" if field and field.description else ""


def _all_fields(model: type[BaseModel]) -> set[str]:
    """Field names of a model and of the models in it."""
    names: set[str] = set()
    pending: list[Any] = [model]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= set(kind.model_fields)
            pending += [field.annotation for field in kind.model_fields.values()]
        else:
            pending += getattr(kind, "__args__", ())
    return names

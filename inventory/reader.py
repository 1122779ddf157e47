"""Reading register files into models: every fault is gathered, in words that name value, wish and remedy."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from inventory.errors import Fault

M = TypeVar("M", bound=BaseModel)
# libyaml's loader reads the whole country (4,400 files) about eight times faster than the one in Python.
FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(FastLoader):
    """Safe loader that refuses a key written twice; YAML would silently keep the last."""


class _DuplicateKey(yaml.YAMLError):
    """A key written twice; arguments: the key, both lines."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict:
    seen: dict[Any, int] = {}
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if key in seen:
            raise _DuplicateKey(key, seen[key], line)
        seen[key] = line
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


class Reader:
    """Reads files below `root` (the folder `inventory/`); `faults` grows with what is wrong in them."""

    def __init__(self, root: Path):
        self.root = root
        self.faults: list[Fault] = []

    def one(self, path: Path, model: type[M]) -> M | None:
        """The file as one model, or None with a fault."""
        data = self._yaml(path)
        if data is None:
            return None
        if not isinstance(data, dict):
            self._fault(path, "(file)", type(data).__name__, "wanted fields", "Write lines such as 'name: value'")
            return None
        return self._build(path, "", data, model)

    def many(self, path: Path, model: type[M]) -> list[tuple[str, M]]:
        """The file as a list of models, each with the place it stands at (`[3]`)."""
        data = self._yaml(path)
        if data is None:
            return []
        if not isinstance(data, list):
            self._fault(path, "(file)", type(data).__name__, "wanted a list", "Start each entry with '- '")
            return []
        built = ((f"[{i}]", self._build(path, f"[{i}].", item, model)) for i, item in enumerate(data))
        return [(place, item) for place, item in built if item is not None]

    def folder(self, path: Path, model: type[M]) -> dict[Path, M]:
        """Every `*.yaml` of a folder by its path; a file that would be passed over is a fault."""
        entries: dict[Path, M] = {}
        for file in sorted(path.iterdir()) if path.is_dir() else []:
            if file.suffix != ".yaml":
                problem = "is not read: register files end in .yaml"
                self._fault(file, "(file name)", file.name, problem, "Rename or remove it")
            elif (entry := self.one(file, model)) is not None:
                entries[file] = entry
        return entries

    def name(self, path: Path) -> str:
        """A file's path as faults show it: from the repository's root."""
        return str(path.relative_to(self.root.parent))

    def _fault(self, path: Path, field: str, value: object, problem: str, remedy: str) -> None:
        self.faults.append(Fault(self.name(path), field, value, problem, remedy))

    def _yaml(self, path: Path) -> Any:
        try:
            data = yaml.load(path.read_bytes(), _Loader)
        except _DuplicateKey as error:
            key, first, second = error.args
            self._fault(path, str(key), "(twice)", f"stands on line {first} and again on line {second}", "Keep one")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "(file)"
            problem = getattr(error, "problem", None) or str(error)
            self._fault(path, place, "(text)", f"is not YAML: {problem}", "Mend that line")
        except OSError as error:
            self._fault(path, "(file)", error.strerror, "cannot be read", "Put it there, readable")
        else:
            if data is None:
                self._fault(path, "(file)", "", "is empty", "Write its entries or remove it")
            return data
        return None

    def _build(self, path: Path, place: str, data: Any, model: type[M]) -> M | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for item in error.errors(include_url=False):
                field = place + ".".join(str(part) for part in item["loc"] if part != "[key]")
                problem, remedy = explain(item, model)
                seen = None if item["type"] == "missing" else item.get("input")
                self._fault(path, field.rstrip("."), seen, problem, remedy)
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
        known = ", ".join(model.model_fields)
        return "no such field", f"Write {near[0]} instead" if near else f"Remove it; known: {known}"
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
    return item["msg"], f"See class {model.__name__} in inventory/register.py"


def _type_name(value: object) -> str:
    words = {str: "text", int: "number", float: "number", bool: "true/false", list: "list", dict: "fields"}
    return words.get(type(value), "nothing" if value is None else type(value).__name__)


def _purpose(model: type[BaseModel], location: tuple) -> str:
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

"""Comparison of a run with a recording: operations, errors, outputs and state, each as a list of differences."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SECRET = "1b47061264138c4ac30d75fd1eb44270"
SIG = "4dabf18193072939515e22adb298388d"
NOT_WRITTEN = {"__meta", "__pulumi_raw_state_delta"}  # the README says that they need not be
NOT_COMPARED = {"created", "modified", "sourcePosition", "stackTrace"}
UNORDERED = {"dependencies", "additionalSecretOutputs"}

_MASKS = (
    (re.compile(r'File "[^"]*/site-packages/'), 'File "<site-packages>/'),
    (re.compile(r'File "[^"<]*/__main__\.py"'), 'File "<path>/__main__.py"'),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:<digest>"),
    (re.compile(r"(?<=[a-z0-9])-[0-9a-f]{7}$"), "-<random>"),  # a name that Pulumi made
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<container-id>"),
    # Of the daemon's own pools: which of them is free differs from machine to machine.
    (re.compile(r"\b(?:172\.(?:1[6-9]|2\d|3[01])|192\.168|10\.0)\.\d{1,3}\.\d{1,3}\b"), "<pool-address>"),
    (re.compile(r"\b02:42:(?:ac|c0|0a:00)(?::[0-9a-f]{2}){3,4}\b"), "<pool-mac>"),
    (re.compile(r"(?<![0-9a-z])(?=[a-z0-9]*[0-9])[a-z0-9]{25}(?![0-9a-z])"), "<swarm-id>"),
)


def masked(value, key: str = ""):
    """A value with machine values replaced by the recording's masks."""
    if isinstance(value, dict):
        if value.get(SIG) == SECRET:
            return {SIG: SECRET, "ciphertext": "<ciphertext>"}
        return {name: masked(item, name) for name, item in value.items() if name not in NOT_WRITTEN | NOT_COMPARED}
    if isinstance(value, list):
        items = [masked(item) for item in value]
        return sorted(items, key=json.dumps) if key in UNORDERED else items
    if key in ("containerLogs", "logs") and isinstance(value, str):
        return "".join(sorted(value.splitlines(True)))  # two streams, which the daemon merges as they come
    return mask_text(value, key) if isinstance(value, str) else value


def mask_text(value: str, key: str = "") -> str:
    """A text with machine values replaced; `key`: the property that it is the value of."""
    if key == "hostname" and re.fullmatch(r"[0-9a-f]{12}", value):
        return "<short-id>"
    if key.endswith("vxlanid_list"):
        return "<vxlan>"
    for pattern, mask in _MASKS:
        value = pattern.sub(mask, value)
    return value


def compare_state(exported: str, recorded: list[dict]) -> list[str]:
    """Differences of an export's resources from the recorded ones, field by field."""
    try:
        resources = json.loads(exported)["deployment"].get("resources") or []
    except (ValueError, KeyError) as cause:
        return [f"no export: {cause}: {exported[:300]}"]
    actual = {_identity(item): _normal(item) for item in resources}
    expected = {_identity(item): _normal(item) for item in recorded}
    faults = [f"{urn} is in the state, not in the recording" for urn in actual.keys() - expected.keys()]
    faults += [f"{urn} is recorded and not in the state" for urn in expected.keys() - actual.keys()]
    for urn in expected.keys() & actual.keys():
        faults += [f"{urn.split('::')[-1]} {text}" for text in differences(actual[urn], expected[urn], "")]
    before: set[str] = set()
    for item in resources:
        for link in [item.get("parent"), *(item.get("dependencies") or [])]:
            if link and link not in before and not item.get("delete"):
                faults.append(f"{item['urn']} stands before {link}, which it needs")
        before.add(item["urn"])
    return faults


def _identity(item: dict) -> str:
    return item["urn"] + (" (delete)" if item.get("delete") else "")


def _normal(item: dict) -> dict:
    result = masked(item)
    networks = (result.get("inputs") or {}).get("networksAdvanced") or []
    if not any(network.get("ipv4Address") for network in networks):
        for data in (result.get("outputs") or {}).get("networkDatas") or []:
            _without_host(data)
    properties = result.get("propertyDependencies")
    if properties:
        result["propertyDependencies"] = {key: sorted(urns) for key, urns in properties.items()}
    return result


def _without_host(data: dict) -> None:
    """Leave of a container's addresses the network's part: containers that start together take them as they come."""
    for key, last in (("ipAddress", r"\d+$"), ("macAddress", r"[0-9a-f]+$")):
        if data.get(key):
            data[key] = re.sub(last, "<host>", data[key])


def differences(actual, expected, path: str) -> list[str]:
    """Paths at which two JSON values differ, with both values."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        faults = []
        for key in sorted({*actual, *expected}):
            where = f"{path}.{key}" if path else key
            if key not in actual:
                faults.append(f"{where}: missing, recorded {json.dumps(expected[key])[:300]}")
            elif key not in expected:
                faults.append(f"{where}: {json.dumps(actual[key])[:300]}, not recorded")
            else:
                faults += differences(actual[key], expected[key], where)
        return faults
    if isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):
        return [
            text
            for index, (a, b) in enumerate(zip(actual, expected, strict=True))
            for text in differences(a, b, f"{path}[{index}]")
        ]
    if actual != expected or isinstance(actual, bool) != isinstance(expected, bool):
        return [f"{path}: {json.dumps(actual)[:300]}, recorded {json.dumps(expected)[:300]}"]
    return []


def integrity_faults(deployment: dict) -> list[str]:
    """What the CLI would refuse a deployment for when it loads it (its own check of a snapshot's integrity)."""
    faults = []
    manifest = deployment["manifest"]
    if manifest["magic"] != hashlib.sha256(manifest["version"].encode()).hexdigest():
        faults.append("magic is not the digest of the version")
    earlier: dict[str, dict] = {}
    for item in deployment.get("resources") or []:
        urn, (provider, _, provider_id) = item["urn"], item.get("provider", "").rpartition("::")
        if provider and earlier.get(provider, {}).get("id") != provider_id:
            faults.append(f"{urn}: no provider {provider}::{provider_id} before it")
        needs = [item.get("parent"), *item.get("dependencies", [])]
        needs += [link for links in item.get("propertyDependencies", {}).values() for link in links]
        faults += [f"{urn}: {link} does not come before it" for link in needs if link and link not in earlier]
        if urn in earlier and not (item.get("delete") or earlier[urn].get("delete")):
            faults.append(f"{urn} is there twice")
        if item.get("custom") and not item.get("id") and not item.get("external"):
            faults.append(f"{urn} is a custom resource without id")
        earlier[urn] = item
    return faults


def compare_outputs(output: str, recorded: dict) -> list[str]:
    """Differences of the stack's outputs."""
    try:
        return differences(masked(json.loads(output)), masked(recorded), "")
    except ValueError as cause:
        return [f"no JSON: {cause}: {output[:300]}"]


def compare_ops(actual: list[list], recorded: list[list], state: list[dict], earlier: Sequence[dict] = ()) -> list[str]:
    """Differences of the operations: the same ones, the same summary, and the same order along dependencies.

    `state`: the recorded one after the step, `earlier`: the one before, whose dependencies hold for deletions only.
    """
    faults = []
    counted, expected = (Counter(json.dumps(row) for row in rows) for rows in (actual, recorded))
    faults += [f"operation {row} is not recorded" for row in (counted - expected).elements()]
    faults += [f"operation {row} is recorded and missing" for row in (expected - counted).elements()]
    if faults:
        return faults
    needs = _Needs(_needs(state), _needs([*earlier, *state]))
    positions = _positions(actual)
    recorded_positions = _positions(recorded)
    for first, second in _ordered_pairs(recorded, recorded_positions, needs):
        if positions[first] > positions[second]:
            faults.append(f"{first} came after {second}; the recording has it before, and they depend on each other")
    return faults


def _key(row: list) -> tuple[str, str, str]:
    return (row[0], row[1], row[2])


def _positions(rows: list[list]) -> dict[tuple, int]:
    return {_key(row): index for index, row in enumerate(rows) if row[0] != "SUMMARY"}


def _needs(state: list[dict]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """(type, name) -> all that it needs, directly or not."""
    direct = defaultdict(set)
    for item in state:
        links = [item.get("parent"), item.get("deletedWith"), *(item.get("dependencies") or [])]
        provider = item.get("provider")
        links.append(provider.rsplit("::", 1)[0] if provider else None)
        for link in filter(None, links):
            direct[_short(item["urn"])].add(_short(link))
    result = {}
    for key in direct:
        reached, queue = set(), [key]
        while queue:
            for link in direct.get(queue.pop(), ()):
                if link not in reached:
                    reached.add(link)
                    queue.append(link)
        result[key] = reached
    return result


def _short(urn: str) -> tuple[str, str]:
    _, _, kind, name = urn.split("::", 3)
    return kind.rsplit("$", 1)[-1], name


@dataclass(frozen=True)
class _Needs:
    """Who needs whom, of the new program, and of both."""

    now: dict
    ever: dict

    def related(self, first: tuple, second: tuple) -> bool:
        """Whether one of two operations' resources needs the other."""
        deletes = any("delete" in op for op in (first[0], second[0]))
        needs = self.ever if deletes else self.now
        a, b = first[1:], second[1:]
        return b in needs.get(a, ()) or a in needs.get(b, ())


def _ordered_pairs(rows: list[list], positions: dict, needs: _Needs) -> list[tuple]:
    """Recorded pairs of operations whose order is no accident."""
    keys = [_key(row) for row in rows if row[0] != "SUMMARY"]
    pairs = []
    for index, first in enumerate(keys):
        for second in keys[index + 1 :]:
            if _tied(first, second, needs):
                pairs.append((first, second))
    return [pair for pair in pairs if positions[pair[0]] < positions[pair[1]]]


def _tied(first: tuple, second: tuple, needs: _Needs) -> bool:
    if "refresh" in (first[0], second[0]):
        return first[0] != second[0]  # all of the refresh comes before anything else
    if {first[0], second[0]} == {"same", "delete-replaced"}:
        return False  # a dependent goes when what it needs is replaced, wherever the program has got to by then
    return needs.related(first, second) or (
        first[1:] == second[1:] and first[0] == "delete-replaced" and second[0] == "replace"
    )


_NOISE = (
    re.compile(r"^sdk-v2/provider2\.go:\d+: sdk\.helper_schema: .*$", re.DOTALL),
    re.compile(r"^(update|preview|refresh|destroy) failed$"),
)


def compare_errors(actual: list[str], recorded: list[str]) -> list[str]:
    """Recorded refusals that the run does not have, and errors of the run that are not recorded.

    The same resource and the same reason count; the provider's log line and the closing line of the CLI do not.
    """
    expected = [text for text in recorded if not any(noise.match(text) for noise in _NOISE)]
    faults = []
    rest = [text for text in actual if not any(noise.match(text) for noise in _NOISE)]
    for text in expected:
        essence = _essence(text)
        match = next((item for item in rest if essence == _essence(item)), None)
        if match is None:
            faults.append(f"error not seen: {text!r}; seen {actual}")
        else:
            rest.remove(match)
    faults += [f"error not recorded: {text!r}" for text in rest]
    return faults


def _essence(text: str) -> str:
    text = masked(text)
    text = re.sub(r"\d+ errors? occurred:", "", text)
    text = re.sub(r"[~^]{2,}", "", text)  # under a line that holds a name of the run
    return " ".join(re.sub(r"[\t\n*]+", " ", text).split())

"""What HAProxy decides about a request by the rules of one frontend: the part of its language that this suite writes.

A rule that is not understood is an error, so nothing is passed over. Paths come in one spelling already: HAProxy's own
`normalize-uri` is tried on a running edge (tests/live). A fetch without a sample matches no ACL, as in HAProxy.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Certificate:
    """What a client showed. `verify` and `ca_error`: HAProxy's numbers, 0 where nothing is wrong."""

    name: str
    units: tuple[str, ...]
    issuer: str
    serial: str = "0A01"
    verify: int = 0
    ca_error: int = 0


@dataclass(frozen=True)
class Request:
    """One request. `counts`: fetch of a counter → its number now; `share`: table → requests of this share in it."""

    host: str
    path: str = "/"
    method: str = "GET"
    headers: dict[str, list[str]] = field(default_factory=dict)
    source: str = "192.0.2.7"
    sni: str | None = None
    certificate: Certificate | None = None
    body: int = 0
    header_bytes: int = 500
    counts: dict[str, int] = field(default_factory=dict)
    share: dict[str, int] = field(default_factory=dict)

    def but(self, **changes: Any) -> Request:
        return replace(self, **changes)


@dataclass
class Outcome:
    """`status` and `refusal` of an answer of HAProxy's own, else the backend; headers as they go on; `tracked`."""

    status: int | None = None
    refusal: str = ""
    location: str = ""
    backend: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    tracked: dict[str, Any] = field(default_factory=dict)  # table → key


class Frontend:
    """The rules of one frontend. `files`: name → lines, for maps and lists; `now`: Unix time."""

    def __init__(self, text: str, name: str, files: dict[str, list[str]], now: int = 1_000_000):
        section = re.search(rf"^frontend {name}$\n((?:[ \t]+.*\n|\n)*)", text, re.MULTILINE)
        if section is None:
            raise ValueError(f"no frontend {name}")
        lines = [line.strip() for line in section[1].splitlines()]
        self.rules = [shlex.split(line) for line in lines if line and not line.startswith("#")]
        self.files, self.now = files, now

    def decide(self, request: Request) -> Outcome:
        """What becomes of a request."""
        return _Run(self, request).outcome()

    def answer(self, request: Request, status: int, **headers: str) -> Outcome:
        """What an answer of this status to a request becomes: its headers, and `tracked` where an error is counted."""
        run = _Run(self, request)
        refusal = run.outcome().refusal
        if refusal:
            headers["Asp-Edge-Refusal"] = refusal
        return run.after(status, {name.lower().replace("_", "-"): [value] for name, value in headers.items()})


Sample = Any  # None: there is none


class _Run:
    def __init__(self, frontend: Frontend, request: Request):
        self.files, self.now, self.rules = frontend.files, frontend.now, frontend.rules
        self.request = request
        self.headers = {"host": [request.host], **{k.lower(): list(v) for k, v in request.headers.items()}}
        self.vars: dict[str, Sample] = {}
        self.acls: dict[str, list[list[str]]] = {}
        self.place, self.first = 0, dict[str, int]()
        for place, words in enumerate(self.rules):
            if words[0] == "acl":
                self.acls.setdefault(words[1], []).append(words[2:])
                self.first.setdefault(words[1], place)
        self.status: int | None = None
        self.result = Outcome(headers=self.headers, variables=self.vars)

    def outcome(self) -> Outcome:
        any(self._phase(name) for name in ("tcp-request", "http-request", "use_backend", "default_backend"))
        return self.result

    def after(self, status: int, headers: dict[str, list[str]]) -> Outcome:
        self.status, self.headers = status, headers
        self.result = Outcome(status=status, headers=headers, variables=self.vars)
        self._phase("http-after-response")
        return self.result

    def _phase(self, name: str) -> bool:
        """Whether one of its rules ended the judgement."""
        for place, words in enumerate(self.rules):
            self.place = place
            if words[0] == name and self._apply(name, words[1:]):
                return True
        return False

    def _apply(self, phase: str, words: list[str]) -> bool:
        """Whether the rule ends the judgement."""
        place = next((i for i, word in enumerate(words) if word in ("if", "unless")), len(words))
        action, condition = words[:place], words[place:]
        if condition and self._holds(condition[1:]) is (condition[0] == "unless"):
            return False
        if phase in ("use_backend", "default_backend"):
            self.result.backend = self._text(action[0])
            return True
        if phase == "tcp-request":
            action = action[1:]  # connection | session
        return self._act(action)

    def _act(self, action: list[str]) -> bool:
        verb = action[0]
        if match := re.fullmatch(r"set-var\(txn\.(\w+)\)", verb):
            if (value := self._fetch(action[1])) is not None:
                self.vars[match[1]] = value
        elif verb == "set-header":
            self.headers[action[1].lower()] = [self._text(action[2])]
        elif verb == "del-header":
            self._delete(action[1], action[3] if action[2:3] == ["-m"] else "str")
        elif match := re.fullmatch(r"track-sc(\d)", verb):
            if (key := self._fetch(action[1])) is not None:
                self.result.tracked[action[action.index("table") + 1]] = key
        elif verb.startswith("sc-inc-gpc0"):
            self.result.tracked[verb] = True
        elif verb in ("return", "deny", "reject", "redirect"):
            self._end(verb, action)
            return True
        elif verb not in ("normalize-uri", "wait-for-body"):
            raise ValueError(f"rule {action} is not understood")
        return False

    def _end(self, verb: str, action: list[str]) -> None:
        if verb == "redirect":
            self.result.location = self._text(action[action.index("location") + 1])
        keys = {"return": "status", "deny": "deny_status", "redirect": "code"}
        self.result.status = int(action[action.index(keys[verb]) + 1]) if verb in keys else 0
        if "Asp-Edge-Refusal" in action:
            self.result.refusal = action[action.index("Asp-Edge-Refusal") + 1].removeprefix("ASP-EDGE-").lower()

    def _delete(self, pattern: str, method: str) -> None:
        hits: dict[str, Callable[[str], bool]] = {
            "str": lambda name: name == pattern,
            "sub": lambda name: pattern in name,
            "beg": lambda name: name.startswith(pattern),
            "reg": lambda name: bool(re.search(pattern, name)),
        }
        for name in [name for name in self.headers if hits[method](name)]:
            del self.headers[name]

    # -- conditions

    def _holds(self, words: list[str]) -> bool:
        alternatives: list[list[bool]] = [[]]
        rest = iter(words)
        for word in rest:
            if word in ("or", "||"):
                alternatives.append([])
                continue
            negated, word = word.startswith("!"), word.removeprefix("!")
            if word == "{":
                expression = []
                while (part := next(rest)) != "}":
                    expression.append(part)
                value = self._matches(expression)
            else:
                if self.first.get(word, self.place) >= self.place:
                    raise ValueError(f"no ACL {word} before the rule that names it")
                value = any(self._matches(expression) for expression in self.acls[word])
            alternatives[-1].append(value is not negated)
        return any(all(parts) for parts in alternatives)

    def _matches(self, expression: list[str]) -> bool:
        fetch, patterns = expression[0], list(expression[1:])
        kind = {"path": "str", "path_beg": "beg", "path_reg": "reg", "method": "str", "src": "net"}.get(fetch, "int")
        fetch = re.sub(r"^path_(beg|reg)$", "path", fetch)
        while patterns and patterns[0].startswith("-"):
            flag = patterns.pop(0)
            if flag == "-m":
                kind = patterns.pop(0)
            elif flag == "-f":
                patterns = [*self.files[patterns[0]], *patterns[1:]]
            elif flag == "--":
                break
        sample = self._fetch(fetch)
        if kind == "found":
            return sample is not None
        if sample is None:
            return False
        return _match(kind, sample, patterns)

    # -- samples

    def _text(self, form: str) -> str:
        return re.sub(r"%\[((?:[^\[\]])+)\]", lambda match: str(self._fetch(match[1]) or ""), form)

    def _fetch(self, expression: str) -> Sample:
        parts = list(_split(expression))
        sample = self._source(parts[0], parts)
        for converter in parts[1:]:
            if sample is None:
                return None
            sample = self._convert(sample, converter)
        return sample

    def _source(self, fetch: str, parts: list[str]) -> Sample:
        request, certificate = self.request, self.request.certificate
        name, _, inner = fetch.partition("(")
        argument = inner.removesuffix(")")
        if name in ("sc_conn_cur", "sc_http_req_rate", "sc_gpc0_rate"):
            return request.counts.get(fetch, 0)
        simple: dict[str, Callable[[], Sample]] = {
            "str": lambda: argument,
            "int": lambda: int(argument),
            "bool": lambda: argument == "true",
            "var": lambda: self.vars.get(argument.removeprefix("txn.")),
            "src": lambda: request.source,
            "path": lambda: request.path,
            "method": lambda: request.method,
            "status": lambda: self.status,
            "res.hdr": lambda: (self.headers.get(argument.lower()) or [None])[-1],
            "date": lambda: self.now,
            "unique-id": lambda: "unique-id",
            "req.body_size": lambda: request.body,
            "req.hdrs": lambda: "x" * request.header_bytes,
            "req.hdr": lambda: (self.headers.get(argument) or [None])[-1],
            "req.hdr_cnt": lambda: len(self.headers.get(argument, [])),
            "ssl_fc_sni": lambda: request.sni if request.sni is not None else request.host.partition(":")[0],
            "ssl_c_used": lambda: int(certificate is not None),
            "ssl_c_verify": lambda: certificate.verify if certificate else 0,
            "ssl_c_ca_err": lambda: certificate.ca_error if certificate else 0,
        }
        if name in simple:
            return simple[name]()
        if certificate is None:
            return None
        samples: dict[str, Callable[[], Sample]] = {
            "ssl_c_i_dn(CN)": lambda: certificate.issuer,
            "ssl_c_serial": lambda: certificate.serial,
            "ssl_c_s_dn(OU)": lambda: (certificate.units or ("",))[0],
            "ssl_c_s_dn(OU,2)": lambda: (certificate.units[1:2] or ("",))[0],
            "ssl_c_der": lambda: certificate.name,
        }
        if fetch not in samples:
            raise ValueError(f"fetch {fetch} is not understood")
        return samples[fetch]()

    def _convert(self, sample: Sample, converter: str) -> Sample:
        name, _, inner = converter.partition("(")
        values = inner.removesuffix(")").split(",") if inner else []
        if name in ("lower", "hex", "base64", "host_only", "length"):
            return {
                "lower": lambda: sample.lower(),
                "hex": lambda: sample,  # numbers are in hex already
                "base64": lambda: sample,
                "host_only": lambda: sample.partition(":")[0],
                "length": lambda: len(sample),
            }[name]()
        if name == "strcmp":
            other = self.vars.get(values[0].removeprefix("txn."))
            return None if other is None else (sample > other) - (sample < other)
        if name == "sub":
            other = self.vars.get(values[0].removeprefix("txn."))
            return None if other is None else sample - other
        if name == "concat":
            middle = self.vars.get(values[1].removeprefix("txn."), "") if len(values) > 1 else ""
            return f"{sample}{values[0]}{middle}{values[2] if len(values) > 2 else ''}"
        if name == "field":
            fields = sample.split(values[1])
            return fields[int(values[0]) - 1] if int(values[0]) <= len(fields) else ""
        if name in ("map_str", "map_str_int"):
            table = dict(line.split(" ", 1) for line in self.files[values[0]])
            answer = table.get(sample, values[1] if len(values) > 1 else None)
            return int(answer) if answer is not None and name == "map_str_int" else answer
        if name == "ipmask":
            address = ipaddress.ip_address(sample)
            bits = values[0] if address.version == 4 else values[1]
            return str(ipaddress.ip_network(f"{sample}/{bits}", strict=False).network_address)
        if name == "table_conn_cur":
            return self.request.share.get(values[0], 0)
        raise ValueError(f"converter {converter} is not understood")


def _split(expression: str) -> Iterator[str]:
    """Fetch and converters: split at commas outside parentheses."""
    depth, part = 0, ""
    for letter in expression:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            yield part
            part = ""
        else:
            part += letter
    yield part


def _match(kind: str, sample: Sample, patterns: list[str]) -> bool:
    if kind == "net":
        return any(ipaddress.ip_address(sample) in ipaddress.ip_network(pattern) for pattern in patterns)
    if kind == "bool" or (kind == "int" and not patterns):
        return bool(sample)
    if kind in ("int", "len"):
        number = len(sample) if kind == "len" else int(sample)
        if patterns[0] in ("gt", "ge", "eq", "lt", "le"):
            limit = int(patterns[1])
            return {
                "gt": number > limit,
                "ge": number >= limit,
                "eq": number == limit,
                "lt": number < limit,
                "le": number <= limit,
            }[patterns[0]]
        ends = [pattern.partition(":")[::2] for pattern in patterns]
        return any(int(low) <= number <= int(high or low) for low, high in ends)
    tests: dict[str, Callable[[str], bool]] = {
        "str": lambda pattern: sample == pattern,
        "beg": lambda pattern: sample.startswith(pattern),
        "end": lambda pattern: sample.endswith(pattern),
        "sub": lambda pattern: pattern in sample,
        "reg": lambda pattern: re.search(pattern, sample) is not None,
    }
    return any(tests[kind](pattern) for pattern in patterns)

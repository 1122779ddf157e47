"""Answers of the systems that import data."""

from __future__ import annotations

from systems.chain import Message, handles
from systems.migration import flow


@handles("import-report")
def report(message: Message) -> None:
    flow.record_report(message.body["package"], message.source, message.body["report"])


@handles("import-done")
def result(message: Message) -> None:
    flow.record_result(message.body["package"], message.source, message.body["report"])

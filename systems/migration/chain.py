"""Answers of the systems that take over data."""

from __future__ import annotations

from systems.chain import Message, handles
from systems.migration import flow


@handles("import-report")
def report(message: Message) -> None:
    flow.reported(message.body["package"], message.source, message.body["report"])


@handles("import-done")
def done(message: Message) -> None:
    flow.done(message.body["package"], message.source, message.body["report"])

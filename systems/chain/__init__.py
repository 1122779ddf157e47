"""Messages between a municipality's systems: a transactional outbox in its database's schema `chain` (docs/systems.md).

A message exists exactly when its sender's change does; a handler's change exists exactly when its receipt does.
"""

from systems.chain.messages import Message, Unacceptable, send, sent_last
from systems.chain.registry import handles, handles_everywhere, job, job_everywhere

__all__ = ["Message", "Unacceptable", "handles", "handles_everywhere", "job", "job_everywhere", "send", "sent_last"]

"""PostgreSQL backend of Django with one difference: which database, and as whom, follows from the current tenant.

One alias serves all tenants. A thread's connection belongs to one tenant; asking it for a cursor while another is
served closes it first, and inside a transaction that is an error, so no statement can land in the wrong database.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.utils import InterfaceError

from systems import tenancy
from systems.credentials import derive


class DatabaseWrapper(base.DatabaseWrapper):
    """Connection of one thread, always the current tenant's."""

    _tenant: tenancy.Tenant | None = None

    def get_connection_params(self) -> dict[str, Any]:
        tenant = tenancy.current()
        configuration = settings.ASP
        parameters = super().get_connection_params()
        parameters.update(
            dbname=tenant.name,
            user=f"{tenant.name}_{configuration.system}",
            password=derive(configuration.system_key.encode(), tenant.name, configuration.system),
        )
        return parameters

    def connect(self) -> None:
        super().connect()
        self._tenant = tenancy.current()

    def _cursor(self, name: str | None = None):
        tenant = tenancy.current()
        if self.connection is not None and self._tenant != tenant:
            if self.in_atomic_block:
                raise InterfaceError("the tenant changed inside a transaction")
            self.close()
        return super()._cursor(name)

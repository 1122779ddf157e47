"""Django's PostgreSQL backend with one difference: the current tenant decides the database and the role.

One alias serves all tenants. A thread's connection belongs to one tenant; using it for another closes it
first, and inside a transaction that is an error, so no statement can land in the wrong database.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.utils import InterfaceError

from systems import tenancy
from systems.shared.credentials import derive


class DatabaseWrapper(base.DatabaseWrapper):
    """Connection of one thread, always the current tenant's."""

    _ksh: str | None = None

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
        self._ksh = tenancy.current().ksh  # first: connecting already queries the new connection
        super().connect()

    def ensure_connection(self) -> None:
        """Called before every use, also at the beginning of a transaction.

        Without a tenant an open connection stays open: between requests Django only checks whether it still works.
        """
        if self.connection is not None and not tenancy.is_current(self._ksh):
            if self.in_atomic_block:
                raise InterfaceError("the tenant changed inside a transaction")
            self.close()
        super().ensure_connection()

    def _cursor(self, name: str | None = None):
        tenancy.current()  # no statement without a tenant, not even on an open connection
        return super()._cursor(name)

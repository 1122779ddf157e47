"""All systems in one process against a real PostgreSQL: the product's own schemas, roles and rights, no other service.

Differences from an app server: one process plays every system in turn, and the node is reached by its socket.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest import mock

import docker
import psycopg
import yaml
from django.db.backends.signals import connection_created

from centre.database import apply, migrations
from centre.database.plan import TenantDatabase
from centre.reach.psql import PSQL, CellSql
from inventory import paths
from inventory.models import Caps
from stacks.configs import postgres
from stacks.configs.scram import verifier
from stacks.images.build import recipe
from systems.shared.credentials import derive
from tests.support.polling import poll
from tests.unit.systems.support import EDGE, Connection, certificate, environment

OURS, THEIRS = "16054", "14915"
COUNTY = "Borsod-Abaúj-Zemplén"
FACTS = {
    OURS: {
        "name": "Sajószentpéter",
        "population": 11253,
        "host": "sajoszentpeter.asp.test",
        "county": COUNTY,
        "office": OURS,
    },
    THEIRS: {"name": "Mályinka", "population": 389, "host": "malyinka.asp.test", "county": COUNTY, "office": THEIRS},
}
CAPS = Caps(connections=8)  # twice the usual: threads come past the pooler, which would make them wait
CATALOGUE = [
    entry
    for entry in yaml.safe_load((paths.ROOT / "inventory/catalogue/systems.yaml").read_text(encoding="utf-8"))
    if (paths.ROOT / "systems" / entry["id"] / "urls.py").exists()
]
SYSTEMS = [entry["id"] for entry in CATALOGUE]


class Node(CellSql):
    """A PostgreSQL node in its own container, set up like a cell's; `folder` holds its socket."""

    cell_id = "cell"

    def __init__(self, folder: Path):
        self.folder = folder
        self.dirty: set[str] = set()  # databases with connections since they were created
        connection_created.connect(self._note_connection)
        client = docker.from_env(timeout=60)
        self.container = client.containers.create(
            recipe.reference("postgres"),
            name=f"asp-test-systems-{secrets.token_hex(4)}",
            network_mode="none",
            init=True,
            cap_drop=["ALL"],
            volumes={str(self.folder): {"bind": "/run/asp", "mode": "rw"}},
            # In memory: databases are recreated after a test, which took seconds on a busy disk and takes 0.1 s here.
            tmpfs={"/tmp": "mode=1777", "/data": f"uid={postgres.UID},gid={postgres.UID},mode=0700"},
        )
        server = postgres.Server(memory=512, max_connections=200)
        conf = "\n".join(
            line for line in postgres.postgresql_conf(server).splitlines() if not line.startswith(("ssl", "listen"))
        )
        hba = "local all postgres trust\nlocal all asp_provisioner peer map=asp\nlocal samerole all scram-sha-256\n"
        files = {
            "etc/asp/postgresql.conf": f"{conf}\nlisten_addresses = ''\nfsync = off\n",
            "etc/asp/pg_hba.conf": hba,
            "etc/asp/pg_ident.conf": postgres.pg_ident_conf(postgres.CELL_LOCAL),
            "run/secrets/bootstrap.sql": postgres.bootstrap_cell("pooler"),
        }
        self.container.put_archive("/", _archive(files))
        self.container.start()
        deadline = time.monotonic() + 60
        while self.container.exec_run(["asp-postgres-healthy"])[0] != 0:
            if time.monotonic() > deadline:
                raise TimeoutError(self.container.logs().decode()[-2000:])
            time.sleep(0.2)

    def _note_connection(self, **_) -> None:
        from systems import tenancy

        self.dirty.add(tenancy.current().name)

    def _touch(self, database: str) -> None:
        """Mark a municipality's database as changed, or all: a session outside of them may have changed any."""
        names = {f"t{ksh}" for ksh in FACTS}
        self.dirty |= {database} if database in names else names

    def script(self, sql: str, database: str = postgres.AUTH_DATABASE, role: str = postgres.PROVISIONER, timeout=300):
        self._touch(database)
        command = [
            "docker",
            "exec",
            "-i",
            self.container.id,
            *PSQL,
            f"--username={role}",
            f"--dbname={database}",
            "-f-",
        ]
        process = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=timeout)
        assert process.returncode == 0, process.stderr
        return process.stdout

    @contextmanager
    def lock(self) -> Iterator[None]:
        yield

    def make_tenants(self) -> None:
        """Create every municipality like role tenant_database, and a pristine copy of each to return to."""
        key = (Path(environment_folder()) / "system.key").read_bytes()
        views = [
            (e["id"], view, reader) for e in CATALOGUE for view, to in e.get("shares", {}).items() for reader in to
        ]
        tenants = []
        for ksh, facts in FACTS.items():
            passwords = {system: derive(key, f"t{ksh}", system) for system in SYSTEMS}
            verifiers = {system: verifier(text, f"t{ksh}_{system}") for system, text in passwords.items()}
            tenants.append(TenantDatabase(f"t{ksh}", verifiers, views, json.dumps(facts), CAPS))
        apply.ensure_present(self, tenants, migrations.installed(), check=False)
        self.tenants = {tenant.name: tenant for tenant in tenants}
        with self.superuser() as session:
            for ksh in FACTS:
                session.execute(f"CREATE DATABASE clean_{ksh} TEMPLATE t{ksh} OWNER {postgres.OWNER}")

    def reset(self) -> None:
        """Restore the databases that were used to their pristine copies."""
        used = [ksh for ksh in FACTS if f"t{ksh}" in self.dirty]
        if not used:
            return
        with self.superuser() as session:
            for ksh in used:
                session.execute(f"DROP DATABASE t{ksh} WITH (FORCE)")
                session.execute(
                    f"CREATE DATABASE t{ksh} TEMPLATE clean_{ksh} STRATEGY FILE_COPY OWNER {postgres.OWNER}"
                )
                session.execute(f"REVOKE ALL ON DATABASE t{ksh} FROM PUBLIC")
                session.execute(f"GRANT CONNECT ON DATABASE t{ksh} TO t{ksh}")
        self.dirty.clear()

    def at_once(self, lock: str, *work: Callable, ksh: str = OURS) -> list:
        """Results of `work`, run in threads that all wait for the rows locked by `lock` and are then released together.

        `lock`: a SELECT … FOR UPDATE. The caller plays one system (`serve`) meanwhile.
        """
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        with ThreadPoolExecutor(len(work)) as pool:
            with self.superuser(f"t{ksh}") as holder, holder.transaction():
                holder.execute(lock)
                futures = [pool.submit(_and_hang_up, one) for one in work]
                with self.superuser() as session:
                    count = session.execute
                    poll(lambda: count(waiting, [f"t{ksh}"]).fetchone()[0], lambda n: n == len(work), 60, "waiting")
            return [one.result(60) for one in futures]

    def superuser(self, database: str = "postgres") -> psycopg.Connection:
        """A session with all rights, for what a test prepares or inspects."""
        self._touch(database)
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True)

    def remove(self) -> None:
        self.container.remove(force=True, v=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _and_hang_up(work: Callable):
    """Run work in a thread, and close its connection afterwards."""
    from django.db import connection

    try:
        return work()
    finally:
        connection.close()


def _archive(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as bundle:
        for path, text in files.items():
            entry, data = tarfile.TarInfo(path), text.encode()
            entry.size, entry.mode = len(data), 0o644
            bundle.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@cache
def environment_folder() -> str:
    return tempfile.mkdtemp(prefix="asp-systems-environment-")


def configure() -> Path:
    """Set up Django with every system; returns the folder where it looks for PostgreSQL's socket."""
    from django.conf import settings

    if settings.configured:
        raise RuntimeError("Django was set up for other tests in this process; run pytest tests/systems by itself")
    sockets = Path(tempfile.mkdtemp(prefix="asp-systems-"))
    sockets.chmod(0o777)
    folder = Path(environment_folder())
    values = environment(folder, ASP_DB_HOST=str(sockets), ASP_DB_PORT="5432")
    catalogue = [
        {"id": e["id"], "name": e["name"], "summary": e["summary"], "public": e["public"], "installed": True}
        | {"roles": e["roles"]}
        for e in CATALOGUE
    ]
    (folder / "systems.json").write_text(json.dumps(catalogue), encoding="utf-8")
    with mock.patch.dict(os.environ, values):
        from systems import settings as product
    options = {name: getattr(product, name) for name in dir(product) if name.isupper()}
    apps = [app for app in product.INSTALLED_APPS if app != "systems.keret"]
    options["INSTALLED_APPS"] = [*apps, *(f"systems.{system}" for system in SYSTEMS)]
    options["ROOT_URLCONF"] = "tests.systems.urls"
    options["DATABASES"]["default"]["OPTIONS"] = {}
    options["STORAGES"] = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    options["STATIC_ROOT"] = None
    settings.configure(**options)
    import django

    django.setup()
    return sockets


@contextmanager
def playing(system: str) -> Iterator[None]:
    """Let this process be that system's app server."""
    from django.conf import settings
    from django.db import connection
    from django.test import override_settings

    if settings.ASP.system == system:
        yield
        return
    changes = {
        "ASP": replace(settings.ASP, system=system),
        "SESSION_COOKIE_NAME": f"asp_{system}",
        "SESSION_COOKIE_PATH": f"/{system}/",
        "CSRF_COOKIE_NAME": f"asp_{system}_csrf",
        "CSRF_COOKIE_PATH": f"/{system}/",
    }
    connection.close()
    with override_settings(**changes):
        yield
        connection.close()


@contextmanager
def serving(system: str, ksh: str = OURS) -> Iterator[None]:
    """Run the code inside as that system, for that municipality."""
    from django.db import connection

    from systems import tenancy

    with playing(system), tenancy.serving(tenancy.Tenant(ksh, None)):
        yield
        connection.close()


def browser(system: str, *roles: str, ksh: str = OURS, username: str = "minta.ilona", name: str = "Minta Ilona"):
    """A test client of one system whose requests come from the edge; with roles a signed-in clerk, else nobody."""
    from django.conf import settings
    from django.test import Client

    from systems.core.clerk import Clerk

    class Browser(Client):
        def request(self, **request):
            with playing(system):
                return super().request(**request)

        def generic(self, *arguments, secure=True, **options):
            return super().generic(*arguments, secure=True, **options)  # Django's own methods pass secure=False on

    entries = {
        "gunicorn.socket": Connection(EDGE),
        "wsgi.url_scheme": "https",
        "HTTP_HOST": FACTS[ksh]["host"],
        "HTTP_ASP_TENANT": ksh,
        "HTTP_ASP_REQUEST_ID": "request-1",
    }
    if roles:
        entries["HTTP_CLIENT_CERT"] = certificate(username, f"t{ksh}", FACTS[ksh]["name"])
    client = Browser(**entries)
    if roles:
        with serving(system, ksh):
            session = client.session
            clerk = Clerk(username, name, tuple(f"{system}.{role}" for role in roles), "id-token")
            session["clerk"] = {**vars(clerk), "roles": list(clerk.roles), "since": time.time(), "until": 2**40}
            session.save()
            client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def deliver(ksh: str = OURS, failures: bool = False) -> int:
    """Run every system's relay until no message is left; returns how many were handled.

    A failing handler fails the test, unless `failures` are expected.
    """
    from django.db import connection

    from systems.chain import relay

    total = 0
    while True:
        round_ = 0
        for system in SYSTEMS:
            with serving(system, ksh):
                round_ += relay.deliver()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT error FROM chain.failure")
                    errors = [error for (error,) in cursor.fetchall()]
                assert failures or not errors, errors
        if not round_:
            return total
        total += round_

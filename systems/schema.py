"""The systems' schemas as plain SQL, from their Django migrations and without a database.

`python -m systems.schema` prints a JSON list of {system, version, sql} in the order of application. Whoever runs it
(role tenant_database) does so as the owner, with `search_path` set to the schema of that system, and records the
versions: the systems' own roles can neither change a schema nor see these records. `--make` writes new migrations
after models were changed, `--check` fails when some are missing.
"""

from __future__ import annotations

import argparse
import json
import pkgutil
from dataclasses import asdict, dataclass

import django
from django.conf import settings
from django.core.management import call_command

import systems

SHARED = ["sessions"]  # Django's own apps whose tables every system has in its schema
BETWEEN = "chain"  # the schema between the systems, which has no login of its own


@dataclass(frozen=True)
class Script:
    """One migration of one system."""

    system: str
    version: str
    sql: str


def systems_with_schema() -> list[str]:
    """Systems that have a schema: packages with migrations."""
    packages = (module.name for module in pkgutil.iter_modules(systems.__path__) if module.ispkg)
    return [name for name in packages if any(m.name == "migrations" for m in _modules(name))]


def scripts() -> list[Script]:
    """Every migration of every system, in order."""
    _configure()
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    connection.ops.compose_sql = _compose
    loader = MigrationLoader(None)
    rendered = []
    for system in systems_with_schema():
        for label in [system] if system == BETWEEN else [*SHARED, system]:
            for key in _plan(loader, label):
                state = loader.project_state(key, at_end=False)
                # Not atomic: a transaction would need a connection, and whoever runs the SQL brings its own.
                with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                    loader.get_migration(*key).apply(state, editor, collect_sql=True)
                sql = "\n".join(line for line in editor.collected_sql if not line.startswith("--"))
                rendered.append(Script(system, f"{label}.{key[1]}", sql))
    return rendered


def _compose(sql: str, parameters) -> str:
    """SQL with its parameters filled in; Django's own way needs a live connection to quote them."""
    from psycopg.sql import Literal

    return sql % tuple(Literal(value).as_string(None) for value in parameters)


def _plan(loader, label: str) -> list[tuple[str, str]]:
    plan: list[tuple[str, str]] = []
    for leaf in loader.graph.leaf_nodes(label):
        plan += [key for key in loader.graph.forwards_plan(leaf) if key[0] == label and key not in plan]
    return plan


def _modules(name: str):
    return pkgutil.iter_modules([f"{path}/{name}" for path in systems.__path__])


def _configure() -> None:
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=["django.contrib.sessions", *(f"systems.{name}" for name in systems_with_schema())],
            DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none", "HOST": "localhost"}},
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=True,
        )
        django.setup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m systems.schema", description="Schemas of the systems as SQL")
    parser.add_argument("--make", action="store_true", help="write migrations for changed models instead")
    parser.add_argument("--check", action="store_true", help="exit with 1 when models and migrations differ instead")
    arguments = parser.parse_args()
    if arguments.make or arguments.check:
        _configure()
        call_command("makemigrations", *systems_with_schema(), check_changes=arguments.check, dry_run=arguments.check)
    else:
        print(json.dumps([asdict(script) for script in scripts()], indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()

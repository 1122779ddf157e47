"""Collect every system's static files under hashed names, at build time, with settings that serve no one."""

import json
import os
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from systems.shared.operations import Operations

with tempfile.TemporaryDirectory() as folder:
    empty = Path(folder, "key")
    empty.write_text("build")
    catalogue = Path(folder, "systems.json")
    entry = {"id": "keret", "name": "", "summary": "", "public": False, "installed": True}
    catalogue.write_text(json.dumps([entry]))
    operations = Path(folder, "operations.json")
    operations.write_text(Operations({}, 0, (), (), 90).to_json())
    os.environ.update(
        DJANGO_SETTINGS_MODULE="systems.settings",
        ASP_SYSTEM="keret",
        ASP_SYSTEMS_FILE=str(catalogue),
        ASP_OPERATIONS_FILE=str(operations),
        **{f"ASP_{name}_FILE": str(empty) for name in ("SYSTEM_KEY", "OIDC_KEY", "DJANGO_KEY", "ROOT")},
        **dict.fromkeys(["ASP_DOMAIN", "ASP_EDGE", "ASP_DB_HOST"], "build"),
        ASP_OIDC_ISSUER="https://build/realms/build",
        ASP_OIDC_BACKCHANNEL="https://build",
        ASP_DB_PORT="1",
        ASP_IDLE_MINUTES="1",
    )
    django.setup()
    call_command("collectstatic", interactive=False, verbosity=0)
    print(f"static files in {settings.STATIC_ROOT}")

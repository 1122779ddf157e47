"""Entry point of the app server."""

import importlib
import os
import sys

from systems.configuration import ConfigurationError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "systems.settings")
try:
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    importlib.import_module(settings.ROOT_URLCONF)  # views and forms as well, once for all workers
except ConfigurationError as error:
    sys.exit(f"app server: {error}")

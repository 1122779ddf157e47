"""Entry point of the app server."""

import os
import sys

from systems.configuration import ConfigurationError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "systems.settings")
try:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
except ConfigurationError as error:
    sys.exit(f"app server: {error}")

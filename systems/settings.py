"""Django's settings for an app server; what differs between servers comes from `systems.configuration`."""

from systems import configuration
from systems.core import logs

ASP = configuration.read()

SECRET_KEY = ASP.django_key
ALLOWED_HOSTS = [f".{ASP.domain}"]
ROOT_URLCONF = "systems.urls"
WSGI_APPLICATION = "systems.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "systems.core",
    "systems.exchange",
    f"systems.{ASP.system}",
]
MIDDLEWARE = [
    "systems.shell.middleware.Health",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "systems.shell.middleware.ServeTenant",
    "systems.shell.bodies.Request",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # In this order: nobody's body is read before it is known who sends it, and the token is looked for in the body.
    "systems.shell.middleware.SignedIn",
    "systems.shell.bodies.Body",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "systems.core.pages.context",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "systems.tenant_db",
        "NAME": "given by the tenant",
        "HOST": ASP.database_host,
        "PORT": ASP.database_port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,  # a restarted pooler causes no failed request
        # PgBouncer shares server connections between transactions, so nothing may outlive one.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "sslmode": "verify-full",
            "sslrootcert": ASP.root_certificate,
            # The pooler admits only holders of a certificate of this hosting's root.
            "sslcert": "/run/secrets/tls.crt",
            "sslkey": "/run/secrets/tls.key",
            "connect_timeout": 5,
            # Parameters beside the statement: in its text a file of 3 MB took 35 (two digits a byte, several copies).
            "server_side_binding": True,
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "hu"
TIME_ZONE = "Europe/Budapest"
USE_TZ = True

STATIC_URL = f"/{ASP.system}/static/"
STATIC_ROOT = "/srv/static"
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

# A session belongs to one system of one tenant: its row is in that schema, its cookie goes to that path only.
SESSION_COOKIE_NAME = f"asp_{ASP.system}"
SESSION_COOKIE_PATH = f"/{ASP.system}/"
SESSION_COOKIE_AGE = ASP.idle_minutes * 60
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_NAME = f"asp_{ASP.system}_csrf"
CSRF_COOKIE_PATH = f"/{ASP.system}/"
CSRF_COOKIE_SECURE = True
CSRF_FAILURE_VIEW = "systems.core.pages.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

FILE_UPLOAD_HANDLERS = ["systems.core.uploads.InMemory"]

LOGGING = logs.CONFIGURATION

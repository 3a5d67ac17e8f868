"""Settings of the demo host; the only file of the project that reads the environment.

Without any variable set this is a demo on one machine: SQLite, no Redis, loopback only, DEBUG on. With ``DEBUG=0`` it
starts only when SECRET_KEY, FERNET_KEYS and ALLOWED_HOSTS are given: no key of the demo is ever used outside it.
"""

from pathlib import Path
from typing import Any

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
OPTION_PREFIX = "CRMSYNC_OPT_"  # CRMSYNC_OPT_LEASE_SECONDS=10 becomes CRMSYNC["LEASE_SECONDS"] = 10

env = environ.Env()


def make_database(url: str) -> dict[str, Any]:
    """Django's settings for the database at `url`, with what each kind needs to be shared by several processes."""
    database: dict[str, Any] = environ.Env.db_url_config(url)
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        options.setdefault("transaction_mode", "IMMEDIATE")  # a write lock taken late cannot be waited for
        options.setdefault("timeout", 20)
        options.setdefault("init_command", "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
    elif database["ENGINE"].endswith("mysql"):
        import pymysql

        pymysql.install_as_MySQLdb()
        options.setdefault("charset", "utf8mb4")
        database["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
    return database


def make_redis_url(url: str) -> str:
    """The address with a short connect time-out: a page must not hang because Redis is away.

    It travels in the address because django-rq passes no other option on when an address is given.
    """
    if not url or "socket_connect_timeout" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}socket_connect_timeout=0.5"


def make_options() -> dict[str, Any]:
    """Options of crmsync that are given one by one in the environment: numbers, true, false."""
    return {
        name.removeprefix(OPTION_PREFIX): env.json(name) for name in env.ENVIRON if name.startswith(OPTION_PREFIX)
    }


# --- Safety -----------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=True)
if DEBUG:
    SECRET_KEY = env.str("SECRET_KEY", default="demo-only-not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz")
    FERNET_KEYS = env.list("FERNET_KEYS", default=["demo-only-not-a-secret"])
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
else:
    SECRET_KEY = env.str("SECRET_KEY")
    FERNET_KEYS = env.list("FERNET_KEYS")  # the first encrypts, all decrypt: put a new key in front
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

# --- Services ---------------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="")
if not DATABASE_URL:
    (BASE_DIR / "var").mkdir(exist_ok=True)
    DATABASE_URL = f"sqlite:///{BASE_DIR / 'var' / 'demo.sqlite3'}"

DATABASES = {"default": make_database(DATABASE_URL)}
if TEST_DATABASE_NAME := env.str("TEST_DATABASE_NAME", default=""):
    # SQLite: a file instead of memory, for tests with threads. Others: a name of one's own on a shared server.
    DATABASES["default"].setdefault("TEST", {})["NAME"] = TEST_DATABASE_NAME

REDIS_URL = make_redis_url(env.str("REDIS_URL", default=""))
RQ_QUEUES = {"crmsync": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 300}} if REDIS_URL else {}

CRMSYNC = {
    "API_URL": env.str("HUBSPOT_API_URL", default="https://api.hubapi.com"),
    "AUTHORIZE_URL": env.str("HUBSPOT_AUTHORIZE_URL", default="https://app.hubspot.com/oauth/authorize"),
    "OAUTH_CLIENT_ID": env.str("HUBSPOT_CLIENT_ID", default=""),
    "OAUTH_CLIENT_SECRET": env.str("HUBSPOT_CLIENT_SECRET", default=""),
    "ENVIRONMENT": env.str("CRMSYNC_ENVIRONMENT", default=""),
    "RUNNER": "rq" if REDIS_URL else "database",
    "MODELS": [
        "demo.Organisation",
        "demo.Person",
        "demo.Opportunity",
        "trade.Client",
        "trade.Contact",
        "trade.Task",
        "trade.TaskLine",
        "trade.Quote",
    ],
    "CATEGORIES": {"trade.Status": "name", "trade.Category": "name"},
    "PUBLIC_URL": env.str("CRMSYNC_PUBLIC_URL", default=""),
    **make_options(),
}

# --- Django -----------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # one form holds a mapping of hundreds of fields; Django's own limit is 1,000

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *(["django_rq"] if REDIS_URL else []),  # its pages answer with an error where there is no Redis
    "crmsync",
    "project.demo",
    "project.trade",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # closed unless a view says otherwise
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
LOGIN_URL = "admin:login"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"  # RQ's log times follow it too
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"crmsync": {"level": "INFO"}},
}

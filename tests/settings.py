"""The demo's settings with one more host app, whose models have every shape, and a second database like the first."""

import copy

from project.settings import *  # noqa: F403
from project.settings import DATABASES, INSTALLED_APPS, TEST_DATABASE_NAME

INSTALLED_APPS = ["tests.hostapp", *INSTALLED_APPS]

# A real hash takes most of a second, and every log-in of the browser tests makes two.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Each commit waits for the disk otherwise, of data that nobody will miss.
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c synchronous_commit=off"

# Every app's tables are in both, so that a test can move an app from one to the other; see tests.hostapp.routers.
DATABASES["second"] = copy.deepcopy(DATABASES["default"])
DATABASES["second"].setdefault("TEST", {}).update(MIGRATE=False)
if not DATABASES["second"]["ENGINE"].endswith("sqlite3") or TEST_DATABASE_NAME:
    DATABASES["second"]["TEST"]["NAME"] = f"{TEST_DATABASE_NAME or 'test_' + DATABASES['default']['NAME']}_second"
DATABASE_ROUTERS = ["tests.hostapp.routers.Second"]

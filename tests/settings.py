"""The demo's settings with one more host app, whose models have every shape."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.hostapp", *INSTALLED_APPS]

"""Settings of a host whose product is in a database of its own, beside the one of crmsync's tables."""

from project.settings import *  # noqa: F403
from project.settings import DATABASES, env, make_database

DATABASES["second"] = make_database(env.str("SECOND_DATABASE_URL"))
DATABASE_ROUTERS = ["crmsync.routers.Router", "tests.journeys.two_databases.Product"]


class Product:
    """The host's own router."""

    def db_for_read(self, model, **hints) -> str | None:
        return "second" if model._meta.app_label == "demo" else None

    def db_for_write(self, model, **hints) -> str | None:
        return self.db_for_read(model)

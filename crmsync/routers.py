"""Keeps crmsync's tables in one database, and its slips beside a host's rows, where a site has several."""

from django.db import DEFAULT_DB_ALIAS, models


class Router:
    """Put it first in DATABASE_ROUTERS. It has no opinion on any other app's models.

    crmsync's tables are read and written in ``default``, never in a replica: what is read there may be too old.
    ``migrate --database=…`` makes only the table of slips in any other database.
    """

    def db_for_read(self, model: type[models.Model], **hints: object) -> str | None:
        return DEFAULT_DB_ALIAS if model._meta.app_label == "crmsync" else None

    def db_for_write(self, model: type[models.Model], **hints: object) -> str | None:
        return self.db_for_read(model)

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: object) -> bool | None:
        if app_label != "crmsync":
            return None
        return db == DEFAULT_DB_ALIAS or model_name == "slip"

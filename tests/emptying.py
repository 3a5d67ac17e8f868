"""How the rows of a test that commits are taken away: what it wrote is deleted, and no more.

Django would empty every table of every app, and then make content types and permissions anew, which takes longer than
most tests. Here tables without rows are left alone, and so is what ``migrate`` has written.
"""

import functools

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

_WRITTEN_BY_MIGRATE = {"django_content_type", "auth_permission"}


def install() -> None:
    """Let every transactional test end this way."""
    TransactionTestCase._fixture_teardown = _teardown


def _teardown(case: TransactionTestCase) -> None:
    for alias in case._databases_names(include_mirrors=False):
        empty(alias)


def empty(alias: str) -> None:
    """Delete all that tests may have written to a database; sequences go on, as after Django's own flush."""
    connection = connections[alias]
    tables = _tables(connection.alias)
    with transaction.atomic(using=alias), connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'EXISTS(SELECT 1 FROM {table})' for table in tables)}")
        for table, has_rows in zip(tables, cursor.fetchone(), strict=True):
            if has_rows:
                cursor.execute(f"DELETE FROM {table}")


@functools.cache
def _tables(alias: str) -> list[str]:
    """The tables of all models, quoted; no test makes or drops one for good."""
    connection: BaseDatabaseWrapper = connections[alias]
    names = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    return [connection.ops.quote_name(name) for name in sorted(names - _WRITTEN_BY_MIGRATE)]

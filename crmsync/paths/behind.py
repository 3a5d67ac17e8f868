"""Whether the code of this process is older than its database: the old worker beside new ones in a deployment.

What new code has added, such a worker must not take for something that is gone.
"""

import importlib.util
import pkgutil

from django.apps import apps
from django.db import connections, models, router
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from crmsync.paths import walk

_ours: dict[str, frozenset[str]] = {}


def remember() -> None:
    """Note which migrations this code came with: a deployment in place changes the files under a running process."""
    _ours.update((config.label, _on_disk(config.label)) for config in apps.get_app_configs())


def is_behind(model: type[models.Model], path: str) -> bool:
    """Whether newer code knows a path that this one does not: its column is there, made by a migration we lack."""
    found = walk.find_unknown(model, path)
    if found is None:
        return False
    owner, name = found
    connection = connections[router.db_for_write(owner)]
    applied = {one for app, one in MigrationRecorder(connection).applied_migrations() if app == owner._meta.app_label}
    return bool(applied - _ours.get(owner._meta.app_label, applied)) and _has_column(connection, owner, name)


def _has_column(connection, owner: type[models.Model], name: str) -> bool:
    tables = {one._meta.db_table for one in (owner, *owner._meta.get_parent_list())}
    with connection.cursor() as cursor:
        columns = {
            column.name
            for table in tables
            for column in connection.introspection.get_table_description(cursor, table)
        }
    return bool(columns & {name, f"{name}_id"})


def _on_disk(label: str) -> frozenset[str]:
    module, _ = MigrationLoader.migrations_module(label)
    spec = importlib.util.find_spec(module) if module else None
    places = spec.submodule_search_locations if spec is not None else None
    return frozenset(one.name for one in pkgutil.iter_modules(places or ()) if one.name[0] not in "_~")

"""ApplyConfig: a migration operation that ships mappings, the file applied as ``crmsync_config apply`` does."""

from pathlib import Path

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from crmsync.engine import config
from crmsync.flows import configure
from crmsync.models import Portal


class ApplyConfigError(Exception):
    """Why the operation stopped its migration: one sentence with the remedy."""


class ApplyConfig(Operation):
    """Apply a configuration file to a portal: ``ApplyConfig(Path(__file__).with_name("crm.json"), portal="Main")``.

    Where the portal is not there or its fields are not discovered (a new installation, a test database) nothing is
    done: apply the file by hand when it is. Names that cannot be resolved stop the migration. ``lock`` keeps the
    mappings in the file. The migration depends on crmsync's newest one. Going back leaves the mappings as they are.
    """

    reduces_to_sql = False
    reversible = True

    def __init__(self, file: str | Path, portal: str, lock: bool = False) -> None:
        self.file, self.portal, self.lock = str(file), portal, lock

    def state_forwards(self, app_label, state) -> None:
        """No model changes."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        if ("crmsync", "portal") not in from_state.models:
            raise ApplyConfigError("This migration needs crmsync's tables. Add its newest one to the dependencies.")
        past = from_state.apps.get_model("crmsync", "Portal")
        using = schema_editor.connection.alias
        if not self.allow_migrate_model(using, past):
            return
        if not past._default_manager.using(using).filter(label=self.portal, discovered_at__isnull=False).exists():
            return
        _raise_if_behind(schema_editor.connection)
        name = Path(self.file).name
        options = configure.Options(kept_in=name if self.lock else None, file=name)
        try:
            text = Path(self.file).read_text(encoding="utf-8")
            configure.apply(Portal.objects.using(using).get(label=self.portal), text, options)
        except (config.ConfigError, OSError) as error:
            raise ApplyConfigError(f"{name} was not applied to the portal “{self.portal}”:\n{error}") from error

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        """Mappings stay: their links and history would go with them."""

    def describe(self) -> str:
        return f"Apply {Path(self.file).name} to the portal {self.portal}"


def _raise_if_behind(connection) -> None:
    """Today's code works only with today's tables, so the operation must not run before crmsync's migrations."""
    loader = MigrationLoader(connection)
    behind = [
        name for app, name in loader.graph.leaf_nodes("crmsync") if (app, name) not in loader.applied_migrations
    ]
    if behind:
        raise ApplyConfigError(
            f'Add ("crmsync", "{behind[0]}") to this migration\'s dependencies, then migrate again.'
        )

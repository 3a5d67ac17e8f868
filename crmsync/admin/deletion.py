"""Deleting a mapping or portal: what goes with it is counted, not listed, because it may be a million rows."""

from collections.abc import Iterable

from django.contrib import admin
from django.db import models
from django.http import HttpRequest


class CountedDeletion(admin.ModelAdmin):
    """``counted``: models that hold a foreign key to ours and go with it; ``keeps``: those that forbid it."""

    counted: tuple[tuple[type[models.Model], str], ...] = ()
    keeps: tuple[tuple[type[models.Model], str], ...] = ()

    def get_deleted_objects(self, objs: Iterable[models.Model], request: HttpRequest):
        """As Django wants it: (what goes, counts by name, missing permissions, what stands in the way).

        The queues and logs have no delete permission of their own, so the permission to delete ours decides.
        """
        rows = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(rows)}
        for model, path in self.counted:
            if count := model._default_manager.filter(**{f"{path}__in": rows}).count():
                counts[str(model._meta.verbose_name_plural)] = count
        return [str(row) for row in rows], counts, set(), self.get_obstacles(rows)

    def get_obstacles(self, rows: list[models.Model]) -> list[str]:
        """What must be dealt with before these rows may go."""
        return [
            f"{model._meta.verbose_name}: {row}"
            for model, path in self.keeps
            for row in model._default_manager.filter(**{f"{path}__in": rows})
        ]

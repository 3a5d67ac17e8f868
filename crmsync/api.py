"""All that a host calls: register an adapter, mark rows dirty after bulk statements."""

from django.db import models

from crmsync import adapters, jobs
from crmsync.flows import capture

register = adapters.register
LocalAdapter = adapters.LocalAdapter


def mark_dirty(rows: models.QuerySet | list[models.Model]) -> int:
    """Tell crmsync that rows changed in a way no signal told (bulk_create, QuerySet.update, raw SQL).

    Call it in the same transaction as the change. Rows that read these along a foreign key are sent too. How many
    marks were made: one a row and mapping that pushes or reads it.
    """
    model = rows.model if isinstance(rows, models.QuerySet) else type(rows[0]) if rows else None
    if model is None:
        return 0
    marked = capture.capture_many(rows, adapters.registered_label(model))
    if marked:
        jobs.ring_on_commit()
    return marked

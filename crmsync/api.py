"""All that a host calls: register an adapter, let a value be read, mark rows dirty, push a row once."""

from django.db import models

from crmsync import adapters, jobs
from crmsync.flows import capture, once
from crmsync.models import Mapping
from crmsync.paths import computed as computing

register = adapters.register
LocalAdapter = adapters.LocalAdapter
computed = computing.computed


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


def push_once(row: models.Model, mapping: Mapping | None = None) -> None:
    """Let a worker make this row in HubSpot, also where its mapping makes none by itself or a rule keeps it out.

    Call it in the transaction that saved the row. once.OnceError where no live mapping sends its model; ``mapping``:
    that one only.
    """
    once.ask(type(row), [row.pk], mapping)
    jobs.ring_on_commit()

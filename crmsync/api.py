"""All that a host calls: register an adapter, let a value be read, mark rows dirty, push a row once, ask what HubSpot
is known to have."""

from collections.abc import Iterable

from django.db import models

from crmsync import adapters, jobs
from crmsync.flows import capture, known, once
from crmsync.ledger import places
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
    using = places.of(model, rows._db if isinstance(rows, models.QuerySet) else rows[0]._state.db)
    marked = capture.capture_many(rows, adapters.registered_label(model), using)
    if marked:
        jobs.ring_on_commit(using)
    return marked


def push_once(row: models.Model, mapping: Mapping | None = None) -> None:
    """Let a worker make this row in HubSpot, also where its mapping makes none by itself or a rule keeps it out.

    Call it in the transaction that saved the row. once.OnceError where no live mapping sends its model; ``mapping``:
    that one only.
    """
    using = places.of(type(row), row._state.db)
    once.ask(type(row), [row.pk], mapping, using=using)
    jobs.ring_on_commit(using)


def find_known(rows: Iterable[models.Model]) -> dict[object, list[known.Known]]:
    """What HubSpot had of these rows of one model when they were last synced, by primary key; no call is made.

    A ``Known`` for each mapping that has linked the row: ``mapping`` its name, ``remote_id``, ``values`` HubSpot's
    texts by mapped property (None for blank), ``as_of`` the moment.
    """
    return known.find(rows)


def matching(
    rows: Iterable[models.Model], *conditions: tuple[str, str, object], mapping: Mapping | None = None
) -> list[models.Model]:
    """Those of these rows of one model whose HubSpot record meets all conditions, as it was last synced; no call is
    made, and a row that is not linked meets none.

    A condition is (property, operator, value) in the words of sync rules, such as ``("closedate", "next_days", 7)``.
    The properties must be mapped. known.KnownError (a ValueError) where no mapping of the model has them all, or
    several have: then name the ``mapping``.
    """
    return known.matching(rows, conditions, mapping)

"""What discovery found in a portal: rows replaced as a whole, with what was added, changed and removed."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import models, transaction

from crmsync.models import Portal, RemoteLabel, RemoteObjectType, RemotePipeline, RemoteProperty, RemoteRule

Diff = dict[str, list[str]]

# What a report says of custom object types, where they could not be read.
CUSTOM_TYPES = "custom object types"

# What names a row within its portal and object type.
_KEYS: dict[type[models.Model], str] = {
    RemoteProperty: "name",
    RemotePipeline: "pipeline_id",
    RemoteObjectType: "object_type",
    RemoteLabel: "key",
    RemoteRule: "key",
}


def replace(model: type[models.Model], within: dict[str, Any], rows: Collection[models.Model]) -> Diff:
    """Make the rows of ``within`` (portal, object type …) those given; what was added, changed and removed."""
    key = _KEYS[model]
    existing = model._default_manager.filter(**within)
    names = [f.name for f in model._meta.concrete_fields if f.name not in ("id", *within, key)]
    old = {getattr(row, key): row for row in existing}
    new = {getattr(row, key): row for row in rows}
    changed = []
    for name in old.keys() & new.keys():
        if any(getattr(old[name], f) != getattr(new[name], f) for f in names):
            new[name].pk = old[name].pk
            changed.append(name)
    added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    with transaction.atomic():
        existing.filter(**{f"{key}__in": removed}).delete()
        model._default_manager.bulk_create([new[name] for name in added], batch_size=200)
        model._default_manager.bulk_update([new[name] for name in changed], names, batch_size=100)
    return {"added": added, "changed": sorted(changed), "removed": removed}


def stamp(portal: Portal, report: dict[str, Any], now: datetime) -> None:
    """Remember what the last discovery said, for whoever asks what changed."""
    portal.discovered_at, portal.discovery = now, report
    Portal.objects.filter(pk=portal.pk).update(discovered_at=now, discovery=report)


def postpone(portal: Portal, now: datetime, problem: str) -> None:
    """Remember why the last discovery did not work; what was known stays, and it is tried again next time."""
    Portal.objects.filter(pk=portal.pk).update(discovered_at=now, discovery={**portal.discovery, "problem": problem})


def due_for_discovery(before: datetime) -> list[Portal]:
    """Connected portals whose fields were last read before then, longest ago first."""
    rows = Portal.objects.filter(state="connected").filter(
        models.Q(discovered_at__isnull=True) | models.Q(discovered_at__lt=before)
    )
    return list(rows.order_by(models.F("discovered_at").asc(nulls_first=True)))


def store_options(portal_id: int, object_type: str, name: str, options: list[list[str]]) -> None:
    """Remember a property's options as just read; the next discovery reads them again."""
    rows = RemoteProperty.objects.filter(portal_id=portal_id, object_type=object_type, name=name)
    rows.update(options=options)

"""Relations of host rows: read for a batch, set on new rows, and written on those there are."""

from collections.abc import Collection, Mapping, Sequence

from django.db import models

from crmsync.engine import spec
from crmsync.sides import local

Targets = dict[str, dict[str, tuple[str, ...]]]


def read(side: local.LocalSide, ones: Sequence[spec.AssociationSpec], pks: Collection[str]) -> Targets:
    """The other rows by relation and primary key: one query for all foreign keys, one a many-to-many field."""
    model = side.adapter.model
    rows = side.rows().filter(pk__in=[model._meta.pk.to_python(pk) for pk in pks]).order_by()
    keys = sorted({one.local for one in ones if not one.is_several})
    found: Targets = {one.local: {} for one in ones}
    if keys:
        for pk, *others in rows.values_list("pk", *(f"{name}__pk" for name in keys)):
            for name, other in zip(keys, others, strict=True):
                found[name][str(pk)] = () if other is None else (str(other),)
    for name in sorted({one.local for one in ones if one.is_several}):
        for pk, other in rows.filter(**{f"{name}__isnull": False}).values_list("pk", f"{name}__pk").distinct():
            found[name][str(pk)] = (*found[name].get(str(pk), ()), str(other))
    return found


def assign(side: local.LocalSide, row: models.Model, targets: Mapping[str, str]) -> list[str]:
    """Set foreign keys on a row by the other rows' primary keys, "" for none; the field names touched."""
    for name, pk in targets.items():
        field = side.adapter.model._meta.get_field(name)
        setattr(row, field.attname, _value(field, pk, side.alias) if pk else None)
    return list(targets)


def present(side: local.LocalSide, row: models.Model, name: str) -> str:
    """The primary key a foreign key leads to, "" for none."""
    field = side.adapter.model._meta.get_field(name)
    value = getattr(row, field.attname)
    if value is None:
        return ""
    target = field.target_field
    if target.primary_key:
        return str(value)
    others = field.related_model._base_manager.using(side.alias)
    return str(others.values_list("pk", flat=True).get(**{target.attname: value}))


def change(row: models.Model, name: str, added: Collection[str], removed: Collection[str]) -> None:
    """Add and remove rows of a many-to-many field."""
    manager = getattr(row, name)
    pk = manager.model._meta.pk
    if removed:
        manager.remove(*(pk.to_python(one) for one in sorted(removed)))
    if added:
        manager.add(*(pk.to_python(one) for one in sorted(added)))


def _value(field: models.Field, pk: str, using: str) -> object:
    """What the column holds: nearly always the primary key itself; else the unique field it points to."""
    target = field.target_field
    typed = field.related_model._meta.pk.to_python(pk)
    if target.primary_key:
        return typed
    return field.related_model._base_manager.using(using).values_list(target.attname, flat=True).get(pk=typed)

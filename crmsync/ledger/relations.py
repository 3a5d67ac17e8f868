"""Association rows -> AssociationSpec: a relation of the model, the mapping it leads to, the label's number."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from crmsync.engine import spec, terms
from crmsync.ledger import columns, schema
from crmsync.models import Association, Mapping, Portal, RemoteLabel, RemoteObjectType
from crmsync.paths import walk

# How HubSpot's ids of custom object types begin.
_CUSTOM = "2-"


class RelationError(Exception):
    """An association that cannot work as it is: one sentence with the remedy, and why in a word."""

    def __init__(self, message: str, code: terms.EdgeProblem = terms.EdgeProblem.UNFIT) -> None:
        super().__init__(message)
        self.code = code


Labels = Sequence[tuple[str, str, str]]
"""As ``read_labels`` gives them."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was discovered: (to type, label in lower case) -> label and key; custom object types, None where nobody
    can tell."""

    labels: Table[tuple[str, str], tuple[str, str]]
    types: frozenset[str] | None


CYCLE = (
    "cyclic dependency: its records need one another through foreign keys that must not be empty, so none could be"
    " made first. Let one of these foreign keys be empty (null=True), or set its association to “to HubSpot”."
)


def load(mapping: Mapping, model: type[models.Model]) -> tuple[spec.AssociationSpec, ...]:
    """The active associations of a mapping, those that cannot work at present held.

    RelationError where records would need one another before any of them could be made.
    """
    rows = list(mapping.associations.filter(is_active=True).select_related("to_mapping"))
    made = load_rows(mapping, rows, model)
    if any(one.is_required for one in made):
        _refuse_cycle(mapping)
    return made


def load_rows(
    mapping: Mapping, rows: Iterable[Association], model: type[models.Model], labels: Labels | None = None
) -> tuple[spec.AssociationSpec, ...]:
    """Some associations of a mapping, those that cannot work at present held. ``labels``: those of its object type,
    where the caller has read them."""
    rows = list(rows)
    known = _known(mapping, rows, labels)
    return tuple(_spec_or_held(mapping, row, model, known) for row in rows)


def check(row: Association, mapping: Mapping, model: type[models.Model]) -> None:
    """RelationError where one row, saved or not, cannot work; for the forms."""
    made = _spec(mapping, row, model, _known(mapping, [row]))
    if made.is_required:
        _refuse_cycle(mapping, row)


def names(model: type[models.Model]) -> list[str]:
    """The relations of a model that can be associated."""
    return [field.name for field in model._meta.get_fields() if _is_relation(field)]


def field_of(model: type[models.Model], name: str) -> models.Field:
    """The foreign key or many-to-many field of this name; RelationError with those there are."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        field = None
    if field is None or not _is_relation(field):
        known = ", ".join(names(model)) or "none"
        text = f"{model._meta.label} has no foreign key or many-to-many field {name!r}. It has: {known}."
        raise RelationError(text, terms.EdgeProblem.RELATION_GONE)
    return field


def is_required(field: models.Field) -> bool:
    """Whether a row must not be without the other one."""
    return not field.many_to_many and not field.null


def labels_between(portal_id: int, object_type: str, to_type: str) -> list[str]:
    """The labels HubSpot has from one object type to another, as discovered."""
    rows = RemoteLabel.objects.filter(portal_id=portal_id, object_type=object_type, to_type=to_type)
    return sorted(set(rows.exclude(label="").values_list("label", flat=True)))


def _is_relation(field: object) -> bool:
    is_forward = not getattr(field, "auto_created", True)
    is_parent = bool(getattr(getattr(field, "remote_field", None), "parent_link", False))
    kinds = ("many_to_one", "one_to_one", "many_to_many")
    is_kind = any(getattr(field, kind, False) for kind in kinds) and isinstance(field, models.Field)
    return is_forward and is_kind and not is_parent and isinstance(field.related_model, type)


def _spec_or_held(
    mapping: Mapping, row: Association, model: type[models.Model], known: _Known
) -> spec.AssociationSpec:
    try:
        return _spec(mapping, row, model, known)
    except RelationError as error:
        return _held(row, model, error)


def _held(row: Association, model: type[models.Model], error: RelationError) -> spec.AssociationSpec:
    """Its relation is still known where Django has it, so that what changed can wait."""
    try:
        field = field_of(model, row.local)
    except RelationError:
        field = None
    return spec.AssociationSpec(
        id=row.pk or 0,
        local=row.local,
        to_mapping_id=row.to_mapping_id,
        to_type=row.to_mapping.object_type,
        direction=terms.Direction(row.direction),
        brings=row.brings,
        is_several=field is not None and bool(field.many_to_many),
        is_required=field is not None and is_required(field),
        held=spec.EdgeHold(error.code, str(error)),
    )


def _spec(mapping: Mapping, row: Association, model: type[models.Model], known: _Known) -> spec.AssociationSpec:
    where = f"Mapping “{mapping}”, association {row.local} ↔ {row.to_mapping}"
    try:
        field = field_of(model, row.local)
    except RelationError as error:
        raise RelationError(f"{where}: {error}", error.code) from error
    _check_end(where, mapping, row, field)
    _check_type(where, row, known)
    _check_direction(where, mapping, row, field)
    _check_through(where, mapping, row, field)
    return spec.AssociationSpec(
        id=row.pk or 0,
        local=field.name,
        to_mapping_id=row.to_mapping_id,
        to_type=row.to_mapping.object_type,
        label=_key(where, row, known),
        direction=terms.Direction(row.direction),
        brings=row.brings,
        is_several=bool(field.many_to_many),
        is_required=is_required(field),
    )


def _check_end(where: str, mapping: Mapping, row: Association, field: models.Field) -> None:
    to = row.to_mapping
    if to.portal_id != mapping.portal_id:
        raise RelationError(f"{where}: that mapping belongs to another portal. Choose one of the same portal.")
    try:
        model = apps.get_model(to.model_label)
    except (LookupError, ValueError) as error:
        raise RelationError(f"{where}: that mapping's model does not exist. Correct it first.") from error
    if not walk.is_kin(model, field.related_model):
        raise RelationError(
            f"{where}: {row.local} leads to {field.related_model._meta.label}, that mapping syncs"
            f" {model._meta.label}. Choose a mapping of {field.related_model._meta.label}."
        )


def _check_type(where: str, row: Association, known: _Known) -> None:
    """A custom object type may be deleted in HubSpot."""
    to_type = row.to_mapping.object_type
    if known.types is not None and to_type.startswith(_CUSTOM) and to_type not in known.types:
        text = f"{where}: HubSpot no longer has the object type {to_type}. Restore it in HubSpot and press “Refresh"
        remedy = "fields” on the portal, or switch the association off."
        raise RelationError(f"{text} {remedy}", terms.EdgeProblem.TYPE_GONE)


def _check_through(where: str, mapping: Mapping, row: Association, field: models.Field) -> None:
    """A row of a through model of the host's own is made with the two keys alone."""
    pulls = terms.Direction(row.direction).pulls and terms.Direction(mapping.direction).pulls
    if not (field.many_to_many and pulls):
        return
    through = field.remote_field.through
    needs = [name for name in columns.required(through) if name not in _ends(field)]
    if needs:
        raise RelationError(
            f"{where}: the through model {through._meta.label} needs {', '.join(needs)}, which HubSpot's association"
            " does not have. Give each a default or null=True, or set the direction to “to HubSpot”."
        )


def _ends(field: models.Field) -> set[str]:
    """The two keys of a through model."""
    return {field.m2m_field_name(), field.m2m_reverse_field_name()}


def _check_direction(where: str, mapping: Mapping, row: Association, field: models.Field) -> None:
    """Between records of one type an association without a label reads the same from both ends."""
    is_symmetrical = bool(field.many_to_many and getattr(field.remote_field, "symmetrical", False))
    pulls = terms.Direction(row.direction).pulls and terms.Direction(mapping.direction).pulls
    if row.to_mapping.object_type == mapping.object_type and not row.label and pulls and not is_symmetrical:
        raise RelationError(
            f"{where}: without a label HubSpot does not say which of two {mapping.object_type} leads to the other."
            " Choose a label, such as “Child Company to Parent Company”, or the direction “to HubSpot”."
        )


def _known(mapping: Mapping, rows: Iterable[Association], labels: Labels | None = None) -> _Known:
    """What these rows are held against, as discovered."""
    rows = list(rows)
    is_custom = any(row.to_mapping.object_type.startswith(_CUSTOM) for row in rows)
    if labels is None and any(row.label for row in rows):
        labels = read_labels(mapping.portal_id, mapping.object_type)
    return _Known(
        labels={(to_type, label.lower()): (label, key) for to_type, label, key in labels or () if label},
        types=_types(mapping.portal) if is_custom else None,
    )


def _types(portal: Portal) -> frozenset[str] | None:
    """The custom object types; None where they were not read, or may not be."""
    if portal.discovered_at is None or schema.CUSTOM_TYPES in portal.discovery.get("missing", {}):
        return None
    return frozenset(RemoteObjectType.objects.filter(portal=portal).values_list("object_type", flat=True))


def read_labels(portal_id: int, object_type: str) -> Labels:
    """(to type, label, key of its type) of what records of an object type can be associated with; a label may be
    blank."""
    rows = RemoteLabel.objects.filter(portal_id=portal_id, object_type=object_type)
    return list(rows.order_by("-key").values_list("to_type", "label", "key"))


def _key(where: str, row: Association, known: _Known) -> str:
    if not row.label:
        return ""
    to_type = row.to_mapping.object_type
    _label, key = known.labels.get((to_type, row.label.lower()), ("", None))
    if key is None:
        names = ", ".join(sorted({one for (to, _), (one, _) in known.labels.items() if to == to_type})) or "none"
        raise RelationError(
            f"{where}: HubSpot has no label “{row.label}” from {row.mapping.object_type} to {to_type}; it has:"
            f" {names}. Correct it, or press “Refresh fields” on the portal if it was added just now.",
            terms.EdgeProblem.LABEL_GONE,
        )
    return key


def _refuse_cycle(mapping: Mapping, extra: Association | None = None) -> None:
    """Records that need one another before they can be made could never be made."""
    rows = list(
        Association.objects.filter(mapping__portal_id=mapping.portal_id, is_active=True)
        .exclude(pk=extra.pk if extra else None)
        .select_related("mapping", "to_mapping")
    )
    needs = dict.fromkeys(_required([*rows, *([extra] if extra else [])]))
    chain, seen = [mapping.pk], set()
    while chain:
        start = chain.pop()
        for one, to in needs:
            if one != start:
                continue
            if to == mapping.pk:
                raise RelationError(f"Mapping “{mapping}”: {CYCLE}")
            if to not in seen:
                seen.add(to)
                chain.append(to)


def _required(rows: Iterable[Association]) -> Iterator[tuple[int, int]]:
    for row in rows:
        try:
            field = field_of(apps.get_model(row.mapping.model_label), row.local)
        except (LookupError, ValueError, RelationError):
            continue
        pulls = terms.Direction(row.direction).pulls and terms.Direction(row.mapping.direction).pulls
        if pulls and is_required(field):
            yield row.mapping_id, row.to_mapping_id

"""Fixed values: rows -> the rule of membership, and the values that new records of a mapping get."""

from collections.abc import Collection, Iterable
from typing import Protocol

from crmsync import adapters
from crmsync.engine import canonical, columns, errors, remotevalues, spec, stages, terms, typed
from crmsync.models import FixedValue, RemotePipeline, RemoteProperty

PIPELINE_OF = stages.PIPELINE_OF


class FixedError(Exception):
    """A fixed value that cannot be: one sentence with the remedy."""


class Field(Protocol):
    """A field mapping, as a row or as configuration."""

    local: str
    remote: str
    direction: terms.Direction | str
    is_active: bool


class Fixed(Protocol):
    """A fixed value, as a row or as configuration."""

    side: terms.SideName | str
    field: str
    decides: bool


def local_paths(rows: Iterable[FixedValue]) -> set[str]:
    """The local paths that are read to tell whose a record is."""
    return {one.field for one in rows if one.decides and one.side == terms.SideName.LOCAL}


def of_local(one: FixedValue, adapter: adapters.LocalAdapter, *, is_given: bool) -> spec.FixedSpec:
    """The value as the model's column holds it. ``is_given``: new rows are made, so it must be writable."""
    try:
        local = adapter.describe(one.field)
    except adapters.LocalFieldError as error:
        raise FixedError(f"The fixed value of {one.field}: {error}") from error
    if is_given and not local.is_writable:
        raise FixedError(
            f"{one.field!r} cannot be written in Django, so new rows cannot get its fixed value. Choose a field of"
            " the model itself, or let the mapping push only."
        )
    _raise_fault(one, typed.find_value_fault(one.value, local.local_type, local.choices - {""}))
    column = spec.FieldSpec(
        0,
        one.field,
        "",
        local_type=local.local_type,
        max_length=local.max_length,
        max_digits=local.max_digits,
        decimal_places=local.decimal_places,
    )
    try:
        return spec.FixedSpec(terms.SideName.LOCAL, one.field, columns.value_of(one.value, column))
    except errors.ConvertError as error:
        raise FixedError(
            f"{one.field} in Django cannot hold “{one.value}”. Choose a value that it can hold."
        ) from error


def of_remote(
    one: FixedValue, row: RemoteProperty, kind: terms.RemoteType, options: Collection[str], *, is_given: bool
) -> spec.FixedSpec:
    """The value as HubSpot has it. ``is_given``: new records are made, so it must be writable."""
    if is_given and row.is_read_only:
        raise FixedError(
            f"HubSpot does not let anyone write {one.field!r}, so new records cannot get its fixed value. Use a sync"
            " rule instead."
        )
    _raise_fault(one, typed.find_value_fault(one.value, kind, options))
    try:
        text = remotevalues.value_of(one.value, spec.FieldSpec(0, "", one.field, remote_type=kind))
    except errors.ConvertError:
        text = one.value  # an enumeration: it was looked up among the options
    return spec.FixedSpec(terms.SideName.REMOTE, one.field, text)


def make_rule(pairs: Iterable[tuple[FixedValue, spec.FixedSpec]]) -> tuple[spec.RuleSpec, ...]:
    """The rule that tells this mapping's records from another's; none where no fixed value decides."""
    conditions = tuple(
        spec.ConditionSpec(one.side, one.field, terms.Operator.EQUALS, canonical.plain_text(one.value) or "")
        for row, one in pairs
        if row.decides
    )
    if not conditions:
        return ()
    return (
        spec.RuleSpec(
            0,
            "fixed values",
            terms.Direction.BOTH,
            terms.Join.ALL,
            conditions,
            gates_updates=True,
            is_membership=True,
        ),
    )


def find_writer_fault(whole: terms.Direction | str, one: Fixed, fields: Iterable[Field]) -> str | None:
    """Why a fixed value that decides cannot stand beside a field that writes the same; an initial value can."""
    whole, is_local = terms.Direction(whole), one.side == terms.SideName.LOCAL
    for field in fields:
        own = terms.Direction(field.direction)
        writes = (whole.pulls and own.pulls) if is_local else (whole.pushes and own.pushes)
        target = field.local if is_local else field.remote
        if one.decides and field.is_active and writes and target == one.field:
            side = terms.SideName(one.side).label
            return (
                f"{one.field} in {side} has a fixed value, and the field {field.local} ↔ {field.remote} writes it."
                " Take one of them out, make the field one-way, or let the fixed value only be given to new records."
            )
    return None


def find_stage_fault(portal_id: int, object_type: str, rows: Iterable[Fixed]) -> str | None:
    """Why a fixed stage is none of the fixed pipeline; None where they go together or only one is fixed."""
    values = {one.field: one.value for one in rows if one.side == terms.SideName.REMOTE}
    for stage, pipeline in PIPELINE_OF.items():
        if stage not in values or pipeline not in values:
            continue
        pipelines = RemotePipeline.objects.filter(portal_id=portal_id, object_type=object_type)
        found = pipelines.filter(pipeline_id=values[pipeline]).first()
        known = {one[0] for one in found.stages} if found else set()
        if known and values[stage] not in known:
            return f"The pipeline “{found.label}” has no stage “{values[stage]}”. It has: {', '.join(sorted(known))}."
    return None


def _raise_fault(one: FixedValue, fault: str | None) -> None:
    if fault:
        raise FixedError(f"The fixed value of {one.field} in {terms.SideName(one.side).label}: {fault}")

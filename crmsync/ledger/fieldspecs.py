"""FieldMapping rows -> FieldSpecs: both ends described, the pair checked, what cannot work at present held."""

from collections.abc import Iterable

from crmsync import adapters
from crmsync.engine import across, convert, scopes, spec, terms
from crmsync.ledger import book, fieldvalues, specerror
from crmsync.models import FieldMapping, Mapping, Portal, RemoteProperty, UserLink


def load(
    mapping: Mapping, rows: Iterable[FieldMapping], adapter: adapters.LocalAdapter, properties: book.Book
) -> tuple[spec.FieldSpec, ...]:
    """All fields of a mapping, held ones too; SpecError where none of them can work."""
    found, refusal = [], None
    for one in rows:
        try:
            found.append(_field(mapping, one, adapter, properties))
        except specerror.FieldError as error:
            refusal = refusal or error
            found.append(_held(one, adapter, error))
    if refusal is not None and all(one.held for one in found):
        raise refusal
    return tuple(found)


def _held(one: FieldMapping, adapter: adapters.LocalAdapter, error: specerror.FieldError) -> spec.FieldSpec:
    """Its local value is still read, so that what changed is known to wait."""
    held = spec.Hold(error.code, str(error), error.side)
    try:
        kind = adapter.describe(one.local).local_type
    except adapters.LocalFieldError:
        kind = terms.LocalType.TEXT
    direction = terms.Direction(one.direction)
    return spec.FieldSpec(one.pk, one.local, one.remote, direction, local_type=kind, held=held)


def _field(
    mapping: Mapping, one: FieldMapping, adapter: adapters.LocalAdapter, properties: book.Book
) -> spec.FieldSpec:
    if across.is_across(one.remote):
        _check_across(mapping, one)
    row = properties.get(one.remote)
    try:
        local = adapter.describe(one.local)
    except adapters.LocalFieldError as error:
        text = f"Mapping “{mapping}”: {error}"
        raise specerror.FieldError(terms.Problem.LOCAL_GONE, text, terms.SideName.LOCAL) from error
    kind = book.remote_type(row)
    direction = terms.Direction(one.direction)
    _check(mapping, one, local, row, kind, direction)
    is_owner = kind is terms.RemoteType.OWNER and local.local_type is terms.LocalType.USER
    return spec.FieldSpec(
        id=one.pk,
        local=one.local,
        remote=one.remote,
        direction=direction,
        local_type=local.local_type,
        remote_type=kind,
        write_mode=terms.WriteMode(one.write_mode),
        conflict=terms.ConflictPolicy(one.conflict),
        blanks=terms.BlankPolicy(one.blanks),
        value_map=_owners(mapping.portal_id, one) if is_owner else fieldvalues.make_map(one),
        options=frozenset() if is_owner else properties.options(row),
        local_choices=_choices(one, local, adapter),
        max_length=local.max_length,
        max_digits=local.max_digits,
        decimal_places=local.decimal_places,
        category=local.category,
        adds_choices=local.adds_choices,
        movement=terms.Movement(one.movement),
        order=fieldvalues.find_order(one, row, kind),
        adds_options=one.unmapped == terms.UnmappedPolicy.ADD and fieldvalues.can_add_options(row, kind),
        throttle_minutes=one.throttle_minutes,
    )


def _choices(one: FieldMapping, local: adapters.LocalField, adapter: adapters.LocalAdapter) -> frozenset[str]:
    """A category's are its rows of this moment, so that a new one counts at once (L9)."""
    return frozenset(value for value, _ in adapter.choices(one.local)) if local.category else local.choices


def _check(
    mapping: Mapping,
    one: FieldMapping,
    local: adapters.LocalField,
    row: RemoteProperty,
    kind: terms.RemoteType,
    direction: terms.Direction,
) -> None:
    """Refuse what can never work, in words with the remedy."""
    where = f"Mapping “{mapping}”, field {one.local} ↔ {one.remote}"
    whole = terms.Direction(mapping.direction)
    if not convert.is_possible(local.local_type, kind):
        text = f"{where}: {local.local_type.label} cannot be {kind.label}. Choose another property."
        raise specerror.FieldError(terms.Problem.RETYPED, text)
    if direction.pushes and whole.pushes and row.is_read_only:
        text = f"{where}: HubSpot does not let anyone write {row.name!r}. Set the direction to “from HubSpot”."
        raise specerror.FieldError(terms.Problem.READ_ONLY, text)
    if direction.pulls and whole.pulls and not local.is_writable:
        text = f"{where}: {one.local!r} cannot be written in Django. Set the direction to “to HubSpot”."
        raise specerror.FieldError(terms.Problem.READ_ONLY, text, terms.SideName.LOCAL)


def _check_across(mapping: Mapping, one: FieldMapping) -> None:
    """Refuse what no value of an associated record can do, and what the portal may not read."""
    where, fault = f"Mapping “{mapping}”, field {one.local} ↔ {one.remote}", across.find_fault(one.remote)
    if fault:
        raise specerror.FieldError(terms.Problem.PROPERTY_GONE, f"{where}: {fault}")
    if terms.Direction(one.direction).pushes:
        raise specerror.FieldError(terms.Problem.READ_ONLY, f"{where}: {across.ONLY_READ}")
    object_type = across.split(one.remote)[0]
    lacking = lacking_scope(mapping.portal, object_type)
    if lacking:
        raise specerror.FieldError(
            terms.Problem.SCOPE_MISSING,
            f"{where}: the portal may not read {object_type}. Grant the scope {lacking} in HubSpot, then press “Test"
            " connection”; the mapping's other fields go on.",
        )


def lacking_scope(portal: Portal, object_type: str) -> str:
    """The scope without which records of a type cannot be read, where HubSpot told that it is not granted."""
    use = scopes.Use(
        mapping="",
        object_type=object_type,
        reads=True,
        writes=False,
        creates_properties=False,
        uses_owners=False,
        reads_schema=False,
    )
    granted = set(portal.scopes) - set(portal.missing_scopes)
    for one in scopes.needed([use]):
        if one.scope in portal.missing_scopes or (portal.are_scopes_known and not one.is_met(granted)):
            return one.scope
    return ""


def _owners(portal_id: int, one: FieldMapping) -> spec.ValueMap:
    """User pk <-> owner id through the user links; an archived owner is still understood, not assigned.

    The field's defaults, else the portal's service user, stand for users without an owner and owners without a user
    (X7).
    """
    to_remote: dict[str, str] = {}
    to_local: dict[str, str] = {}
    rows = UserLink.objects.filter(portal_id=portal_id).order_by("is_archived", "owner_id")
    service = Portal.objects.values_list("service_user", flat=True).get(pk=portal_id)
    for owner_id, user_id, is_archived in rows.values_list("owner_id", "user_id", "is_archived"):
        if user_id or service:
            to_local[owner_id] = str(user_id or service)
        if user_id and not is_archived:
            to_remote.setdefault(str(user_id), owner_id)
    has_default = one.unmapped == terms.UnmappedPolicy.DEFAULT
    return spec.ValueMap(
        to_remote=to_remote,
        to_local=to_local,
        remote_default=(one.default_remote if has_default else "") or to_remote.get(str(service)),
        local_default=(one.default_local if has_default else "") or None,
    )

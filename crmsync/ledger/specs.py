"""Rows -> MappingSpec: a mapping with all it needs of the discovered schema, frozen for one batch."""

from collections.abc import Iterable

from crmsync import adapters, conf
from crmsync.engine import convert, spec, terms
from crmsync.ledger import readers
from crmsync.models import (
    FieldMapping,
    Mapping,
    MatchKey,
    Portal,
    RemotePipeline,
    RemoteProperty,
    SyncRule,
    UserLink,
)

# Contacts alone keep their modified time under this name; filtering them by hs_lastmodifieddate silently
# returns wrong results (HubSpot: CRM search, default properties).
_CONTACT_MODIFIED = "lastmodifieddate"
_PIPELINE_PROPERTIES = {"pipeline", "hs_pipeline"}
_STAGE_PROPERTIES = {"dealstage", "hs_pipeline_stage"}


class SpecError(Exception):
    """A mapping that cannot run as it is: one sentence with the remedy."""


def load(mapping: Mapping) -> spec.MappingSpec:
    """The mapping frozen; SpecError names the first field that cannot work. Heals readers after bulk edits."""
    fields = list(mapping.fields.filter(is_active=True).prefetch_related("value_map"))
    keys = list(mapping.match_keys.all())
    rules = list(mapping.rules.filter(is_active=True).prefetch_related("conditions"))
    readers.heal(mapping, _paths(fields, keys, rules))
    schema = _Schema(mapping, {f.remote for f in fields} | {k.remote for k in keys})
    adapter = adapter_of(mapping)
    return spec.MappingSpec(
        id=mapping.pk,
        revision=mapping.revision,
        portal_id=mapping.portal_id,
        local_model=adapter.model._meta.label,
        object_type=mapping.object_type,
        direction=terms.Direction(mapping.direction),
        fields=tuple(_field(mapping, one, adapter, schema) for one in fields),
        match=tuple(
            spec.MatchSpec(
                k.local, k.remote, terms.Normaliser(k.normaliser), unique_remote=schema.is_unique(k.remote)
            )
            for k in keys
        ),
        rules=tuple(_rule(one) for one in rules),
        creates_remote=mapping.creates_remote,
        creates_local=mapping.creates_local,
        deletes=terms.DeletePolicy(mapping.deletes),
        modified_property=_CONTACT_MODIFIED if mapping.object_type == "contacts" else "hs_lastmodifieddate",
    )


def _paths(fields: Iterable[FieldMapping], keys: Iterable[MatchKey], rules: Iterable[SyncRule]) -> set[str]:
    """The local paths that are read to push a record."""
    return {
        *(one.local for one in fields if terms.Direction(one.direction).pushes),
        *(one.local for one in keys),
        *(c.field for rule in rules for c in rule.conditions.all() if c.side == terms.SideName.LOCAL),
    }


def adapter_of(mapping: Mapping) -> adapters.LocalAdapter:
    """The mapping's adapter; SpecError where its model is gone or not allowed."""
    allowed = {label.lower() for label in conf.current().MODELS}
    if mapping.model_label.lower() not in allowed:
        raise SpecError(
            f"Mapping “{mapping}” names the model {mapping.model_label!r}, which CRMSYNC['MODELS'] does not allow."
            " Add it there, or choose another model."
        )
    try:
        return adapters.adapter_for(mapping.model_label)
    except (LookupError, ValueError) as error:
        raise SpecError(
            f"Mapping “{mapping}” names the model {mapping.model_label!r}, which does not exist."
            " Choose a model listed in CRMSYNC['MODELS']."
        ) from error


class _Schema:
    """The discovered properties a mapping uses, with stages, pipelines and owners as their options."""

    def __init__(self, mapping: Mapping, names: Iterable[str]) -> None:
        self.mapping = mapping
        rows = RemoteProperty.objects.filter(portal_id=mapping.portal_id, object_type=mapping.object_type)
        self.properties = {row.name: row for row in rows.filter(name__in=names)}
        self.is_known = bool(self.properties) or rows.exists()

    def get(self, name: str) -> RemoteProperty:
        if name not in self.properties:
            remedy = (
                "Correct the name, or press “Refresh fields” on the portal if it was added just now."
                if self.is_known
                else "The portal's fields were not discovered yet: run crmsync_discover or press “Refresh fields”."
            )
            raise SpecError(
                f"Mapping “{self.mapping}” names the HubSpot property {name!r}, which {self.mapping.object_type}"
                f" of this portal do not have. {remedy}"
            )
        if self.properties[name].is_archived:
            raise SpecError(
                f"Mapping “{self.mapping}” names the HubSpot property {name!r}, which was archived in HubSpot."
                " Restore it there and press “Refresh fields”, or switch the field mapping off."
            )
        return self.properties[name]

    def is_unique(self, name: str) -> bool:
        """Whether HubSpot enforces and looks up this property as a unique value."""
        if name == "email" and self.mapping.object_type == "contacts":
            return True
        return name in self.properties and self.properties[name].is_unique

    def options(self, row: RemoteProperty) -> frozenset[str]:
        if row.name in _PIPELINE_PROPERTIES | _STAGE_PROPERTIES:
            pipelines = RemotePipeline.objects.filter(portal_id=row.portal_id, object_type=row.object_type)
            if row.name in _PIPELINE_PROPERTIES:
                return frozenset(pipelines.values_list("pipeline_id", flat=True))
            return frozenset(stage[0] for stages in pipelines.values_list("stages", flat=True) for stage in stages)
        return frozenset(option[0] for option in row.options)


def remote_type(row: RemoteProperty) -> terms.RemoteType:
    """HubSpot's type and field type as the one type the engine converts by."""
    if row.name == "hubspot_owner_id" or row.referenced_object_type == "OWNER":
        return terms.RemoteType.OWNER
    if row.type == "enumeration" and row.field_type == "checkbox":
        return terms.RemoteType.CHECKBOXES
    try:
        return terms.RemoteType(row.type)
    except ValueError as error:
        raise SpecError(
            f"The HubSpot property {row.name!r} has the type {row.type!r}, which cannot be synced."
            " Remove it from the mapping."
        ) from error


def _field(mapping: Mapping, one: FieldMapping, adapter: adapters.LocalAdapter, schema: _Schema) -> spec.FieldSpec:
    row = schema.get(one.remote)
    try:
        local = adapter.describe(one.local)
    except adapters.LocalFieldError as error:
        raise SpecError(f"Mapping “{mapping}”: {error}") from error
    kind = remote_type(row)
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
        value_map=_owners(mapping.portal_id) if is_owner else _value_map(one),
        options=frozenset() if is_owner else schema.options(row),
        local_choices=local.choices,
        max_length=local.max_length,
        max_digits=local.max_digits,
        decimal_places=local.decimal_places,
    )


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
        raise SpecError(f"{where}: {local.local_type.label} cannot be {kind.label}. Choose another property.")
    if direction.pushes and whole.pushes and row.is_read_only:
        raise SpecError(
            f"{where}: HubSpot does not let anyone write {row.name!r}. Set the direction to “from HubSpot”."
        )
    if direction.pulls and whole.pulls and not local.is_writable:
        raise SpecError(f"{where}: {one.local!r} cannot be written in Django. Set the direction to “to HubSpot”.")


def _value_map(one: FieldMapping) -> spec.ValueMap | None:
    entries = list(one.value_map.all())
    if not entries:
        return None
    to_remote = {e.local_value: e.remote_value for e in entries if terms.Direction(e.direction).pushes}
    to_local: dict[str, str] = {}
    for e in entries:
        if terms.Direction(e.direction).pulls:
            to_local.setdefault(e.remote_value, e.local_value)
    return spec.ValueMap(to_remote=to_remote, to_local=to_local)


def _owners(portal_id: int) -> spec.ValueMap:
    """User pk <-> owner id through the user links; an archived owner is still understood, not assigned.

    The portal's service user stands for owners without a user, and for users without an owner (X7).
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
    return spec.ValueMap(to_remote=to_remote, to_local=to_local, remote_default=to_remote.get(str(service)))


def _rule(one: SyncRule) -> spec.RuleSpec:
    return spec.RuleSpec(
        id=one.pk,
        name=one.name,
        direction=terms.Direction(one.direction),
        join=terms.Join(one.join),
        conditions=tuple(
            spec.ConditionSpec(terms.SideName(c.side), c.field, terms.Operator(c.operator), c.value)
            for c in one.conditions.all()
        ),
        gates_updates=one.gates_updates,
    )

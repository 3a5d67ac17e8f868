"""What a field mapping says of its values: its map with its defaults, their order, and options that may be added."""

from typing import Final

from crmsync.engine import spec, terms
from crmsync.models import FieldMapping, RemotePipeline, RemoteProperty

# HubSpot: pipelines; the values of these properties are ids of pipelines and of their stages.
PIPELINES: Final = frozenset({"pipeline", "hs_pipeline"})
STAGES: Final = frozenset({"dealstage", "hs_pipeline_stage"})
# HubSpot moves a lifecycle stage forward only, so that is what a new row of it offers first.
_FORWARD: Final = frozenset({"lifecyclestage"})
_CHOSEN: Final = frozenset({terms.RemoteType.ENUMERATION, terms.RemoteType.CHECKBOXES})


def make_map(one: FieldMapping) -> spec.ValueMap | None:
    """The value map, strict unless values pass unchanged or are added; None where every value is its own."""
    entries, policy = list(one.value_map.all()), terms.UnmappedPolicy(one.unmapped)
    has_default = policy is terms.UnmappedPolicy.DEFAULT and bool(one.default_local or one.default_remote)
    if not entries and not has_default:
        return None
    to_local: dict[str, str] = {}
    for entry in entries:
        if terms.Direction(entry.direction).pulls:
            to_local.setdefault(entry.remote_value, entry.local_value)
    passes = policy in (terms.UnmappedPolicy.PASS, terms.UnmappedPolicy.ADD)
    return spec.ValueMap(
        to_remote={e.local_value: e.remote_value for e in entries if terms.Direction(e.direction).pushes},
        to_local=to_local,
        strict=bool(entries) and not passes,
        remote_default=(one.default_remote or None) if has_default else None,
        local_default=(one.default_local or None) if has_default else None,
    )


def find_order(one: FieldMapping, row: RemoteProperty, kind: terms.RemoteType) -> tuple[str, ...]:
    """The property's values as HubSpot orders them, where the field asks for it; "" between two pipelines."""
    if one.movement == terms.Movement.ANY or kind is terms.RemoteType.CHECKBOXES:
        return ()
    if row.name not in STAGES:
        return tuple(str(option[0]) for option in row.options)
    pipelines = RemotePipeline.objects.filter(portal_id=row.portal_id, object_type=row.object_type)
    order: list[str] = []
    for stages in pipelines.values_list("stages", flat=True):
        order += ["", *(str(stage[0]) for stage in stages)]
    return tuple(order[1:])


def can_add_options(row: RemoteProperty, kind: terms.RemoteType) -> bool:
    """Whether the property's options are its own, so that some may be added."""
    is_elsewhere = row.has_external_options or row.name in PIPELINES | STAGES
    return kind in _CHOSEN and not is_elsewhere and not row.is_read_only


def first_movement(name: str) -> terms.Movement:
    """What a new row of a property offers."""
    return terms.Movement.FORWARD if name in _FORWARD else terms.Movement.ANY

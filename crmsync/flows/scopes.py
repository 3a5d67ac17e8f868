"""Which scopes a portal needs, why, and which of them it has."""

from crmsync.engine import across, scopes, terms
from crmsync.models import FieldMapping, Mapping, Portal

# Before there is a mapping: what a first look at an account takes, so that fields can be chosen at all.
_FIRST = ("contacts", "companies", "deals")


def needed(portal: Portal, *, is_oauth: bool = False) -> tuple[scopes.Need, ...]:
    """The least set for this portal's mappings, live or draft, each with its reasons."""
    return scopes.needed(_uses(portal), oauth=is_oauth)


def compare(portal: Portal, *, is_oauth: bool = False) -> scopes.Comparison:
    """The least set against what was granted."""
    return scopes.compare(needed(portal, is_oauth=is_oauth), portal.scopes, known=portal.are_scopes_known)


def _uses(portal: Portal) -> list[scopes.Use]:
    rows = Mapping.objects.filter(portal_id=portal.pk).prefetch_related("fields", "associations__to_mapping")
    mappings = list(rows) if portal.pk else []
    if not mappings:
        return [
            scopes.Use(
                mapping="a first mapping",
                object_type=kind,
                reads=True,
                writes=True,
                creates_properties=True,
                uses_owners=True,
            )
            for kind in _FIRST
        ]
    return [_use(one) for one in mappings]


def _use(mapping: Mapping) -> scopes.Use:
    pushes = terms.Direction(mapping.direction).pushes
    return scopes.Use(
        mapping=mapping.label,
        object_type=mapping.object_type,
        reads=True,
        writes=pushes,
        creates_properties=pushes and mapping.creates_remote,
        adds_options=pushes and any(_adds_options(one) for one in mapping.fields.all()),
        offers_properties=pushes,
        uses_owners=any("owner" in one.remote for one in mapping.fields.all() if one.is_active),
        takes_from=across.types_of(one.remote for one in mapping.fields.all() if one.is_active),
        associates=tuple(
            (one.to_mapping.object_type, pushes and terms.Direction(one.direction).pushes)
            for one in mapping.associations.all()
            if one.is_active
        ),
    )


def _adds_options(one: FieldMapping) -> bool:
    is_sent = one.is_active and terms.Direction(one.direction).pushes
    return is_sent and one.unmapped == terms.UnmappedPolicy.ADD

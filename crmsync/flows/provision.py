"""Creates in HubSpot what crmsync itself needs: the unique property that holds its create keys."""

from crmsync.flows import environment, scope
from crmsync.hubspot import properties, types
from crmsync.ledger import portals
from crmsync.models import Mapping

GROUP = "crmsync"


def ensure(one: scope.Scope) -> bool:
    """Make sure that the mapping's object type has the key property; whether it had to be created.

    Asked once a mapping: only mappings that may create records in HubSpot need it.
    """
    mapping = one.mapping
    if mapping.is_provisioned or not (one.spec.direction.pushes and one.spec.creates_remote):
        return False
    found, is_new = properties.ensure(
        one.remote.client, one.spec.object_type, _key(one.spec.key_property), group_label="crmsync"
    )
    if not is_new:
        claim(one, found)
    Mapping.objects.filter(pk=mapping.pk).update(is_provisioned=True)
    mapping.is_provisioned = True
    return is_new


def claim(one: scope.Scope, found: types.Property) -> None:
    """Ours is put on the key property where there is no mark; another installation's stops the work until a person
    has confirmed this one."""
    if other := environment.other_install(found.description):
        if portals.see_other_install(one.mapping.portal_id, other):
            raise environment.beside(other)
    elif environment.mark(found.description) != found.description:
        properties.update(
            one.remote.client,
            one.spec.object_type,
            found.name,
            description=environment.mark(found.description),
        )


def _key(name: str) -> types.NewProperty:
    return types.NewProperty(
        name=name,
        label="crmsync key",
        type="string",
        field_type="text",
        group=GROUP,
        description=environment.mark(
            "Written by crmsync when it creates a record, so that none is created twice. Do not edit."
        ),
        is_unique=True,
        is_hidden=True,
    )

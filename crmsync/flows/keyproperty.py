"""Makes sure that HubSpot has crmsync's own unique property, by which no record is created twice."""

from crmsync import conf
from crmsync.engine import lint, prerequisites, propertyname
from crmsync.flows import contractschema, discover, environment, scope
from crmsync.hubspot import errors, properties, types
from crmsync.ledger import portals, specs
from crmsync.models import Mapping


def ensure(one: scope.Scope, *, is_asked: bool = False) -> bool:
    """Make sure that the mapping's object type has the key property; whether it had to be created.

    Asked once a mapping: only mappings that may create records in HubSpot need it, and others once a record
    ``is_asked`` for, which is made there all the same. specs.SpecError where HubSpot refuses to make it: without it
    no record may be created, whatever the record.
    """
    mapping = one.mapping
    if mapping.is_provisioned or not (one.spec.direction.pushes and (one.spec.creates_remote or is_asked)):
        return False
    found, is_new = _ensure_key(one)
    discover.remember(one.mapping.portal, one.spec.object_type, found)
    if not is_new:
        claim(one, found)
    Mapping.objects.filter(pk=mapping.pk).update(is_provisioned=True)
    mapping.is_provisioned = True
    return is_new


def _ensure_key(one: scope.Scope) -> tuple[types.Property, bool]:
    wanted, group = _key(one.spec.key_property), conf.current().PROPERTY_GROUP
    try:
        return properties.ensure(one.remote.client, one.spec.object_type, wanted, group_label=group)
    except errors.ValidationError as error:
        if not one.spec.creates_remote:
            raise  # only the record that was asked for cannot be made
        raise specs.SpecError(_no_key(one, error)) from error


def _no_key(one: scope.Scope, error: errors.ValidationError) -> str:
    """HubSpot gives the refusal no code of its own, so it is judged by what is known of the properties."""
    used = contractschema.unique_properties(one.mapping.portal, one.spec.object_type)
    said = f"Mapping “{one.mapping}” needs the unique property {one.spec.key_property}, which HubSpot refuses to make"
    if len(used) < prerequisites.UNIQUE_SLOTS:
        return f"{said}: {error.message[:300]} {_CREATES_OFF}"
    taken = lint.no_unique_left(one.spec.object_type, used)
    return f"{said}. {taken} Delete one of them that nobody needs. {_CREATES_OFF}"


_CREATES_OFF = "Or switch off “create missing records in HubSpot” for this mapping. Then switch the mapping on again."


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
        group=propertyname.group_name(conf.current().PROPERTY_GROUP),
        description=environment.mark(
            "Written by crmsync when it creates a record, so that none is created twice. Do not edit."
        ),
        is_unique=True,
        is_hidden=True,
    )

"""Creates in HubSpot what crmsync itself needs: the unique property that holds its create keys."""

from crmsync.flows import scope
from crmsync.hubspot import properties
from crmsync.models import Mapping

GROUP = "crmsync"


def ensure(one: scope.Scope) -> bool:
    """Make sure that the mapping's object type has the key property; whether it had to be created.

    Asked once a mapping: only mappings that may create records in HubSpot need it.
    """
    mapping = one.mapping
    if mapping.is_provisioned or not (one.spec.direction.pushes and one.spec.creates_remote):
        return False
    made = properties.ensure(
        one.remote.client,
        one.spec.object_type,
        group={"name": GROUP, "label": "crmsync"},
        definition={
            "name": one.spec.key_property,
            "label": "crmsync key",
            "groupName": GROUP,
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": True,
            "formField": False,
            "hidden": True,
            "description": "Written by crmsync when it creates a record, so that none is created twice. Do not edit.",
        },
    )
    Mapping.objects.filter(pk=mapping.pk).update(is_provisioned=True)
    mapping.is_provisioned = True
    return made

"""People whose e-mail and first name are joined, and which properties were made for the rest."""

from crmsync.models import FieldMapping, Mapping
from tests.flows.conftest import Sync

BIRTH, STATUS = "django_person_birth_date", "django_person_status"
FIELDS = ["email", "first_name"]


def strip(sync: Sync) -> Sync:
    """Leave one mapping with two fields."""
    sync.people.fields.exclude(local__in=FIELDS).delete()
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    sync.mappings = {sync.people.label: Mapping.objects.select_related("portal").get(pk=sync.people.pk)}
    return sync


def held(sync: Sync, name: str) -> dict | None:
    """A property's definition as HubSpot has it, archived or not."""
    kind = sync.hub.portal.kind("contacts")
    found = sync.hub.portal.properties[kind.id].get(name)
    return found.data if found is not None else None


def made(sync: Sync) -> list[str]:
    """Our properties in HubSpot but the key."""
    kind = sync.hub.portal.kind("contacts")
    return sorted(name for name in sync.hub.portal.properties[kind.id] if name.startswith("django_"))


def rows(sync: Sync) -> set[tuple[str, str, str]]:
    found = FieldMapping.objects.filter(mapping=sync.people, is_active=True).exclude(local__in=FIELDS)
    return set(found.values_list("local", "remote", "direction"))

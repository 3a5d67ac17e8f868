"""Factories of crmsync's rows: each builds one valid row, connected and live unless told otherwise.

``make_mapping`` is the usual start: a mapping of people and contacts with its fields and the discovered properties.
"""

from datetime import timedelta

import factory
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone
from factory.django import DjangoModelFactory

from crmsync import models
from crmsync.engine import terms
from crmsync.models import choices

TOKEN = "pat-na1-00000000-0000-4000-8000-00000000cafe"
CLIENT_SECRET = "11111111-2222-4333-8444-555555555555"
# Local path, property, its HubSpot type: the fields of make_mapping.
PERSON_FIELDS = (
    ("email", "email", "string"),
    ("first_name", "firstname", "string"),
    ("last_name", "lastname", "string"),
)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda o: f"{o.username}@example.com")
    is_staff = True

    @factory.post_generation
    def permissions(self, create, extracted, **kwargs) -> None:
        """``permissions=["view_portal", "operate_sync"]``: codenames of crmsync."""
        wanted = Permission.objects.filter(content_type__app_label="crmsync", codename__in=extracted or [])
        self.user_permissions.add(*wanted)


class PortalFactory(DjangoModelFactory):
    class Meta:
        model = models.Portal
        skip_postgeneration_save = True

    label = factory.Sequence(lambda n: f"Portal {n}")
    hub_id = factory.Sequence(lambda n: 9000 + n)
    state = choices.PortalState.CONNECTED
    time_zone = "Europe/Berlin"
    ui_domain = "app.hubspot.com"
    credential = factory.RelatedFactory("tests.factories.CredentialFactory", factory_related_name="portal")


class CredentialFactory(DjangoModelFactory):
    class Meta:
        model = models.Credential

    token = TOKEN
    client_secret = CLIENT_SECRET


class UserLinkFactory(DjangoModelFactory):
    class Meta:
        model = models.UserLink

    portal = factory.SubFactory(PortalFactory)
    owner_id = factory.Sequence(lambda n: str(1000 + n))
    email = factory.LazyAttribute(lambda o: f"owner{o.owner_id}@example.com")
    name = factory.LazyAttribute(lambda o: f"Owner {o.owner_id}")


class RemotePropertyFactory(DjangoModelFactory):
    class Meta:
        model = models.RemoteProperty

    portal = factory.SubFactory(PortalFactory)
    object_type = "contacts"
    name = factory.Sequence(lambda n: f"property_{n}")
    label = factory.LazyAttribute(lambda o: o.name.replace("_", " ").capitalize())
    type = "string"
    field_type = "text"


class RemotePipelineFactory(DjangoModelFactory):
    class Meta:
        model = models.RemotePipeline

    portal = factory.SubFactory(PortalFactory)
    object_type = "deals"
    pipeline_id = factory.Sequence(lambda n: f"pipeline{n}")
    label = factory.Sequence(lambda n: f"Pipeline {n}")
    stages = factory.LazyFunction(lambda: [["open", "Open"], ["closedwon", "Won"]])


class MappingFactory(DjangoModelFactory):
    """A mapping without rows; see ``make_mapping``."""

    class Meta:
        model = models.Mapping

    portal = factory.SubFactory(PortalFactory)
    label = factory.Sequence(lambda n: f"People {n}")
    model_label = "demo.Person"
    object_type = "contacts"
    state = terms.MappingState.LIVE


class FieldMappingFactory(DjangoModelFactory):
    class Meta:
        model = models.FieldMapping

    mapping = factory.SubFactory(MappingFactory)
    position = factory.Sequence(lambda n: n)
    local = "first_name"
    remote = "firstname"


class MatchKeyFactory(DjangoModelFactory):
    class Meta:
        model = models.MatchKey

    mapping = factory.SubFactory(MappingFactory)
    local = "email"
    remote = "email"
    normaliser = terms.Normaliser.EMAIL


class ValueMapEntryFactory(DjangoModelFactory):
    class Meta:
        model = models.ValueMapEntry

    field = factory.SubFactory(FieldMappingFactory)
    local_value = "lead"
    remote_value = "LEAD"


class SyncRuleFactory(DjangoModelFactory):
    class Meta:
        model = models.SyncRule

    mapping = factory.SubFactory(MappingFactory)
    name = factory.Sequence(lambda n: f"Rule {n}")


class FixedValueFactory(DjangoModelFactory):
    class Meta:
        model = models.FixedValue

    mapping = factory.SubFactory(MappingFactory)
    side = terms.SideName.LOCAL
    field = "city"
    value = "Leeds"


class RuleConditionFactory(DjangoModelFactory):
    class Meta:
        model = models.RuleCondition

    rule = factory.SubFactory(SyncRuleFactory)
    side = terms.SideName.LOCAL
    field = "city"
    operator = terms.Operator.EQUALS
    value = "Leeds"


class LinkFactory(DjangoModelFactory):
    class Meta:
        model = models.Link

    mapping = factory.SubFactory(MappingFactory)
    portal = factory.LazyAttribute(lambda o: o.mapping.portal)
    object_type = factory.LazyAttribute(lambda o: o.mapping.object_type)
    local_pk = factory.Sequence(lambda n: str(n + 1))
    remote_id = factory.Sequence(lambda n: str(500_000 + n))
    create_key = factory.Sequence(lambda n: f"{n:032x}")
    outcome = terms.Outcome.UNCHANGED
    synced_at = factory.LazyFunction(timezone.now)


class OutboxEntryFactory(DjangoModelFactory):
    class Meta:
        model = models.OutboxEntry

    mapping = factory.SubFactory(MappingFactory)
    local_pk = factory.Sequence(lambda n: str(n + 1))


class InboxEventFactory(DjangoModelFactory):
    class Meta:
        model = models.InboxEvent

    mapping = factory.SubFactory(MappingFactory)
    remote_id = factory.Sequence(lambda n: str(500_000 + n))


class DeliveryFactory(DjangoModelFactory):
    class Meta:
        model = models.Delivery

    received_at = factory.LazyFunction(timezone.now)
    body = "[]"


class CursorFactory(DjangoModelFactory):
    class Meta:
        model = models.Cursor

    mapping = factory.SubFactory(MappingFactory)
    kind = choices.CursorKind.FULL
    started_at = factory.LazyFunction(timezone.now)
    position = factory.LazyFunction(timezone.now)
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=5))


class RunFactory(DjangoModelFactory):
    class Meta:
        model = models.Run

    mapping = factory.SubFactory(MappingFactory)
    revision = factory.SelfAttribute("mapping.revision")
    kind = choices.RunKind.BACKFILL_PULL


class LogEntryFactory(DjangoModelFactory):
    class Meta:
        model = models.LogEntry

    mapping = factory.SubFactory(MappingFactory)
    outcome = terms.Outcome.UPDATED
    local_pk = factory.Sequence(lambda n: str(n + 1))
    remote_id = factory.Sequence(lambda n: str(500_000 + n))


class ConflictFactory(DjangoModelFactory):
    class Meta:
        model = models.Conflict

    mapping = factory.SubFactory(MappingFactory)
    local_pk = "1"
    remote_id = "500000"
    field = "email|email"
    rule = terms.Cause.PREFER_HUBSPOT
    winner = terms.SideName.REMOTE


class AssociationFactory(DjangoModelFactory):
    class Meta:
        model = models.Association

    mapping = factory.SubFactory(MappingFactory)
    to_mapping = factory.SubFactory(
        MappingFactory,
        portal=factory.SelfAttribute("..mapping.portal"),
        model_label="demo.Organisation",
        object_type="companies",
    )
    local = "organisation"


class EdgeFactory(DjangoModelFactory):
    class Meta:
        model = models.Edge

    association = factory.SubFactory(AssociationFactory)
    link = factory.SubFactory(LinkFactory, mapping=factory.SelfAttribute("..association.mapping"))
    local_pk = factory.Sequence(lambda n: str(n + 1))
    remote_id = factory.Sequence(lambda n: str(700_000 + n))
    state = terms.EdgeState.MADE


def make_edge() -> models.Edge:
    """An edge of the one association there is: pages ask once a mapping."""
    return EdgeFactory(association=models.Association.objects.first() or AssociationFactory())


def make_mapping(**values: object) -> models.Mapping:
    """A mapping of people and contacts that can run: fields, a match key, and the properties they name."""
    mapping = MappingFactory(**values)
    for local, remote, kind in PERSON_FIELDS:
        RemotePropertyFactory(portal=mapping.portal, object_type=mapping.object_type, name=remote, type=kind)
        FieldMappingFactory(mapping=mapping, local=local, remote=remote)
    MatchKeyFactory(mapping=mapping)
    return mapping

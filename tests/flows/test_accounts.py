"""Accounts of every kind: what a free one lacks, what a reader may do, several side by side."""

import pytest
from django.utils import timezone

from crmsync import jobs
from crmsync.engine import tiers
from crmsync.flows import backfill, connect, discover, report
from crmsync.ledger import credentials, schema
from crmsync.models import Mapping, Portal, RemoteLabel, RemoteObjectType, RemoteProperty
from project.demo.models import Organisation
from tests import factories


def properties(sync, **facts) -> set[str]:
    return set(RemoteProperty.objects.filter(portal=sync.portal, **facts).values_list("name", flat=True))


def test_companies_are_read_without_any_write_scope(sync) -> None:
    """C2: a pull needs the read scopes of its object type, and no others."""
    scopes = ["crm.objects.companies.read", "crm.schemas.companies.read"]
    sync.hub.add_token("pat-na1-a-reader-of-companies", scopes)
    Mapping.objects.update(state="draft")
    connect.connect(sync.portal, credentials.Entered("static", token="pat-na1-a-reader-of-companies"))
    discover.discover(sync.portal)
    mapping = factories.MappingFactory(
        portal=sync.portal, model_label="demo.Organisation", object_type="companies", direction="pull"
    )
    factories.FieldMappingFactory(mapping=mapping, local="name", remote="name")
    sync.hub.ui_create("companies", {"name": "Read only Ltd", "domain": "ro.example.com"})
    assert sync.backfill("backfill_pull", mapping) == {"created": 1}
    assert Organisation.objects.get().name == "Read only Ltd"
    assert sync.writes() == 0


def test_everything_there_is_may_be_mapped(sync) -> None:
    """C6, C14, C16: default and custom properties with type, options, label, description, group and flags."""
    assert {"email", "firstname", "demo_lead_source"} <= properties(sync, object_type="contacts")
    assert {"name", "domain"} <= properties(sync, object_type="companies")
    assert {"dealname", "dealstage"} <= properties(sync, object_type="deals")
    one = RemoteProperty.objects.get(portal=sync.portal, object_type="contacts", name="demo_lead_source")
    assert (one.type, one.field_type, one.label) == ("enumeration", "select", "Lead source (demo)")
    assert ["website", "website"] in one.options
    assert one.group
    assert "hs_object_id" in properties(sync, is_read_only=True)
    assert RemoteLabel.objects.filter(portal=sync.portal, object_type="contacts", to_type="companies").exists()


def test_archived_properties_are_known_and_refused(sync) -> None:
    """C16, J14: an archived property is kept as such, and its mapping says that it was archived."""
    token = {"Authorization": f"Bearer {sync.hub.token}"}
    sync.hub.handle("DELETE", "/crm/properties/2026-09/contacts/demo_bio", token)
    found = discover.discover(sync.portal)
    assert "demo_bio" in found.properties["contacts"]["changed"]
    assert "demo_bio" in properties(sync, is_archived=True)
    from crmsync.ledger import specs

    with pytest.raises(specs.SpecError, match="archived in HubSpot"):
        specs.check(sync.people)


def test_what_changed_is_listed(sync) -> None:
    """C17: added, changed and removed, by name; a second look finds nothing."""
    sync.hub.add_property("contacts", "brand_new", "string", "text", label="Brand new")
    found = discover.discover(sync.portal)
    assert found.properties["contacts"]["added"] == ["brand_new"]
    assert list(discover.discover(sync.portal).news()) == []
    sync.portal.refresh_from_db()
    assert sync.portal.discovery["properties"]["contacts"]["added"] == []


def test_fields_are_read_again_every_day(sync) -> None:
    """C17: by the workers, without anybody asking; not more often."""
    assert discover.discover_due() == 0
    schema.stamp(sync.portal, {}, timezone.now() - timezone.timedelta(hours=25))
    sync.hub.add_property("contacts", "overnight", "string", "text", label="Overnight")
    assert jobs.tidy() >= 1
    assert "overnight" in properties(sync)
    assert discover.discover_due() == 0


def test_an_enterprise_accounts_own_objects_are_found(make_sync, hub) -> None:
    """C7, C33: custom object types by their own names, with their properties."""
    hub.set_limits(tier="enterprise")
    kind = hub.add_object_type("cars")
    sync = make_sync()
    row = RemoteObjectType.objects.get(portal=sync.portal)
    assert (row.object_type, row.name) == (kind, "cars")
    assert properties(sync, object_type=kind)


def test_a_lower_tier_lacks_a_feature_and_no_more(sync) -> None:
    """C7: shown as unavailable on this tier, not as an error."""
    words = {one.key: one.state for one in tiers.features_of(tiers.Tier.FREE_OR_STARTER)}
    assert words[tiers.CUSTOM_OBJECTS] == "unavailable"
    sync.hub.set_limits(enabled=True, tier="free")
    assert report.look_up_tier(sync.portal) is tiers.Tier.FREE_OR_STARTER


def test_the_pace_follows_the_account(sync, settings) -> None:
    """C23: HubSpot's own headers replace what was assumed."""
    from crmsync.flows import meter

    sync.hub.set_limits(enabled=True, tier="enterprise")
    report.look_up_tier(sync.portal)
    assert meter.burst_of(sync.portal.pk, 100) == 190
    assert Portal.objects.get().burst_limit == 190


def test_an_optional_scope_switches_its_feature(sync) -> None:
    """C10: without the owners scope everything else is read, and the report names the scope."""
    sync.hub.change_scopes(token=sync.hub.token, remove=["crm.objects.owners.read"])
    found = discover.discover(sync.portal)
    assert "crm.objects.owners.read" in found.missing["owners"]
    assert found.properties.keys() >= {"contacts", "companies", "deals"}


def test_several_connections_coexist(sync) -> None:
    """C11, C30: a sandbox beside production, each with a name of its own; one account is connected once."""
    sync.hub.add_account(5555, account_type="SANDBOX")
    sync.hub.add_token("pat-na1-token-of-the-sandbox", hub_id=5555)
    sandbox = Portal(label="Sandbox")
    connect.connect(sandbox, credentials.Entered("static", token="pat-na1-token-of-the-sandbox"))
    assert set(Portal.objects.values_list("hub_id", "account_type")) == {(4242, "STANDARD"), (5555, "SANDBOX")}
    with pytest.raises(connect.ConnectError, match="connected already, as the portal “Flows”"):
        connect.connect(Portal(label="Twice"), credentials.Entered("static", token=sync.hub.token))


def test_created_properties_are_in_a_group_of_their_own(sync, ada) -> None:
    """C32: what crmsync makes in HubSpot is found together."""
    discover.discover(sync.portal)
    assert (
        RemoteProperty.objects.get(portal=sync.portal, object_type="contacts", name="crmsync_key").group == "crmsync"
    )


def test_a_backfill_never_starts_by_itself(sync) -> None:
    """A27: connecting and discovering sync nothing."""
    sync.hub.ui_create("contacts", {"email": "untouched@example.com"})
    jobs.work(5.0)
    assert not backfill.Run.objects.exists()
    assert sync.writes() == 0

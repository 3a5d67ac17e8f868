"""The checklist: what is needed in HubSpot, which of it is there, and what only a person can say."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from crmsync.engine.prerequisites import Status
from crmsync.flows import checklist, discover
from crmsync.models import Credential, Portal, RuleCondition, SyncRule, Tick
from project.demo import mappings
from tests import factories


def items(portal: Portal, title: str = "") -> dict[str, checklist.Item]:
    """The items of one section (the portal's own without a title), by key."""
    fresh = Portal.objects.get(pk=portal.pk)
    (found,) = [one for one in checklist.of_portal(fresh) if one.title == (title or fresh.label)]
    return {one.key: one for one in found.items}


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("crmsync_checklist", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_portal_with_all_it_needs(sync) -> None:
    """A18, A26: credentials, access, fields and mapping are seen; what nobody can see is left to a person."""
    found = {key: one.state for key, one in items(sync.portal).items()}
    assert found == {
        "connected": "done",
        "access": "done",
        "discovered": "done",
        "mapped": "done",
        "client_secret": "done",
        "webhook_address": "manual",
    }
    states = {key: one.state for key, one in items(sync.portal, mappings.PEOPLE).items()}
    assert states.pop("webhooks") == Status.MANUAL
    assert set(states.values()) == {Status.DONE}
    assert {"property.hs_lead_status", "object_type", "key_property", "scope.crm.objects.contacts.write"} <= set(
        states
    )


def test_a_new_portal_says_what_is_next(db) -> None:
    """A26: nothing is known, nothing is called missing that nobody looked at, and every step has its remedy."""
    portal = Portal.objects.create(label="New")
    found = items(portal)
    assert {key: one.state for key, one in found.items()} == {
        "connected": "missing",
        "access": "unknown",
        "discovered": "missing",
        "mapped": "missing",
    }
    assert all(one.remedy for one in found.values() if one.state == Status.MISSING)


def test_what_hubspot_lacks_is_named(sync) -> None:
    """A18: a property that is gone, an option the value map names, a stage that no pipeline has."""
    sync.people.fields.filter(remote="city").update(remote="town")
    status = sync.people.fields.get(remote="hs_lead_status")
    factories.ValueMapEntryFactory(field=status, local_value="dormant", remote_value="ASLEEP")
    stage = sync.mappings[mappings.OPPORTUNITIES].fields.get(remote="dealstage")
    factories.ValueMapEntryFactory(field=stage, local_value="lapsed", remote_value="closedlapsed")
    people, deals = items(sync.portal, mappings.PEOPLE), items(sync.portal, mappings.OPPORTUNITIES)
    assert (people["property.town"].state, people["property.town"].detail) == (
        "missing",
        "HubSpot has no property town.",
    )
    assert "ASLEEP" in people["property.hs_lead_status"].detail
    assert (deals["pipeline.default"].state, deals["pipeline.default"].detail) == (
        "missing",
        "The pipeline has no stage “closedlapsed”.",
    )


def test_a_second_pipeline_that_is_mapped_but_not_there(sync) -> None:
    """A18: the mapping names two pipelines, the account has one; it is there after it was made and read."""
    deals = sync.mappings[mappings.OPPORTUNITIES]
    field = factories.FieldMappingFactory(mapping=deals, local="description", remote="pipeline", direction="push")
    factories.ValueMapEntryFactory(field=field, local_value="old", remote_value="default")
    factories.ValueMapEntryFactory(field=field, local_value="new", remote_value="renewals")
    assert items(sync.portal, deals.label)["pipeline.renewals"].state == Status.MISSING
    sync.hub.add_pipeline("deals", {"id": "renewals", "label": "Renewals", "displayOrder": 1, "stages": []})
    discover.discover(sync.portal)
    assert items(sync.portal, deals.label)["pipeline.renewals"].state == Status.DONE


def test_a_tier_bound_object_type(sync) -> None:
    """A18: a custom object in an account whose limits say Professional."""
    Portal.objects.update(burst_limit=190, daily_limit=625_000)
    factories.MappingFactory(portal=sync.portal, label="Boats", object_type="2-77")
    found = items(sync.portal, "Boats")
    assert found["tier.custom_objects"].state == Status.MISSING
    assert "Professional" in found["tier.custom_objects"].detail
    assert found["object_type"].state == Status.MISSING


def test_a_scope_that_is_missing(sync) -> None:
    """A18, C14: the scope, what it allows, and which mapping lacks it."""
    Portal.objects.update(scopes=[one for one in sync.portal.scopes if one != "crm.objects.contacts.write"])
    assert items(sync.portal)["access"].state == Status.MISSING
    assert items(sync.portal, mappings.PEOPLE)["scope.crm.objects.contacts.write"].state == Status.MISSING
    assert items(sync.portal, mappings.ORGANISATIONS)["scope.crm.objects.companies.write"].state == Status.DONE


def test_a_rule_that_waits_for_hubspot_is_a_workflow(sync) -> None:
    """A26: a property that a rule asks for and no field writes must be set by somebody in HubSpot."""
    rule = SyncRule.objects.create(mapping=sync.people, name="Customers only")
    for name in ("lifecyclestage", "email"):
        RuleCondition.objects.create(rule=rule, side="remote", field=name, operator="not_empty")
    found = [one for key, one in items(sync.portal, mappings.PEOPLE).items() if key.startswith("workflow.")]
    assert [one.title for one in found] == ["HubSpot workflow: sets lifecyclestage, for the rule “Customers only”"]
    assert found[0].state == Status.MANUAL


def test_a_confirmed_step_stays_confirmed(sync, django_user_model) -> None:
    """A26: the state is stored, with who and when; taken back it is open again."""
    user = django_user_model.objects.create(username="grace")
    key = f"{sync.people.pk}.webhooks"
    checklist.tick(sync.portal, key, user)
    checklist.tick(sync.portal, key, None)
    done = items(sync.portal, mappings.PEOPLE)["webhooks"]
    assert done.state == Status.DONE
    assert f"by grace on {timezone.localdate()}" in done.detail
    checklist.untick(sync.portal, key)
    assert items(sync.portal, mappings.PEOPLE)["webhooks"].state == Status.MANUAL


def test_a_user_who_is_gone_has_confirmed_all_the_same(sync, django_user_model) -> None:
    user = django_user_model.objects.create(username="grace")
    checklist.tick(sync.portal, "portal.webhook_address", user)
    user.delete()
    assert "by somebody on" in items(sync.portal)["webhook_address"].detail


@pytest.mark.parametrize("key", ["", "portal.nothing", "portal.connected", "999.webhooks", "webhooks"])
def test_only_what_a_person_must_say_can_be_ticked(sync, key) -> None:
    """A26: a step that is seen, or that is none, is refused and stored nowhere."""
    with pytest.raises(ValueError, match="no step"):
        checklist.tick(sync.portal, key, None)
    with pytest.raises(ValueError, match="not confirmed"):
        checklist.untick(sync.portal, key)
    assert not Tick.objects.exists()


def test_what_is_seen_outweighs_what_was_ticked(sync) -> None:
    """A26: once a webhook arrived, the step says so."""
    checklist.tick(sync.portal, "portal.webhook_address", None)
    Portal.objects.update(webhook_at=timezone.now())
    assert items(sync.portal)["webhook_address"].detail == "A webhook has arrived."


def test_a_service_key_has_no_webhooks(sync) -> None:
    """A26, P4: nobody is asked for what is impossible."""
    Credential.objects.update(kind="service_key")
    assert "client_secret" not in items(sync.portal)
    assert "impossible" in items(sync.portal, mappings.PEOPLE)["webhooks"].detail


def test_a_secret_whose_key_is_gone_is_asked_for_again(sync) -> None:
    """Fault 50: the page opens, and the step is open."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crmsync_credential SET client_secret = %s", [b"gAAAAA-of-another-key"])
    assert items(sync.portal)["client_secret"].state == Status.MISSING


# --- Subscriptions ----------------------------------------------------------------------------------------------


def test_subscriptions_are_those_of_pulled_properties(sync) -> None:
    """A18, P5: pushed fields and mappings that do not pull need none; contacts can be forgotten."""
    lines = checklist.subscriptions(sync.portal)
    assert "object.propertyChange contacts (0-1) firstname" in lines
    assert "object.creation companies (0-2)" in lines
    assert "contact.privacyDeletion contacts (0-1)" in lines
    assert not [line for line in lines if "deals" in line or line.endswith(" company")]


def test_the_file_for_a_project_app(sync) -> None:
    """P5: what `hs project upload` takes, for the address that was given."""
    made = checklist.hsmeta(sync.portal, "https://shop.example/crmsync/webhook/")
    settings = made["config"]["settings"]
    assert (made["type"], settings["targetUrl"]) == ("webhooks", "https://shop.example/crmsync/webhook/")
    subscribed = made["config"]["subscriptions"]["crmObjects"]
    assert {"subscriptionType": "object.creation", "objectType": "contact", "active": True} in subscribed


# --- The command ------------------------------------------------------------------------------------------------


def test_the_command_prints_the_list(sync) -> None:
    """A26: title, state and remedy, for people and as JSON."""
    text = run("Flows")
    assert "People" in text
    assert "[to be done by hand] Webhook subscriptions" in text
    sections = json.loads(run("--json"))
    assert [one["title"] for one in sections] == ["Flows", "Opportunities", "Organisations", "People"]
    assert {"key", "title", "state", "detail", "remedy"} == set(sections[0]["items"][0])


def test_the_command_makes_subscriptions(sync, settings) -> None:
    """A18: as lines, and as the file, whose address is the site's own unless one is given."""
    assert "object.deletion contacts (0-1)" in run("--subscriptions").splitlines()
    assert "object.deletion contacts (0-1)" in json.loads(run("--subscriptions", "--json"))
    given = json.loads(run("Flows", "--hsmeta", "https://given.example/hook/"))
    assert given["config"]["settings"]["targetUrl"] == "https://given.example/hook/"
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://shop.example/"}
    own = json.loads(run("Flows", "--hsmeta"))
    assert own["config"]["settings"]["targetUrl"] == "https://shop.example/crmsync/webhook/"


def test_the_command_names_cause_and_remedy(sync, settings) -> None:
    """A26: an unknown portal, an address nobody knows, more subscriptions than an app may have."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": ""}
    with pytest.raises(CommandError, match=r"no portal 'Other'\. Portals: 'Flows'"):
        run("Other")
    with pytest.raises(CommandError, match="PUBLIC_URL"):
        run("Flows", "--hsmeta")
    for number in range(1001):
        sync.people.fields.create(local="city", remote=f"p{number}", direction="pull")
    with pytest.raises(CommandError, match="more than the 1000"):
        run("Flows", "--subscriptions")
    Portal.objects.create(label="Second")
    with pytest.raises(CommandError, match="Name the portal"):
        run()

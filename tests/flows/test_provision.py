"""Properties for fields that have none: created once, in their group, joined in one direction, and used then."""

import dataclasses
import itertools

import pytest
from django.contrib.auth import get_user_model

from crmsync.engine import provisioning
from crmsync.flows import access, discover, obstacle, propose, provision
from crmsync.hubspot import properties, wire
from crmsync.models import FieldMapping, Mapping, Portal, RemoteProperty, UserLink
from crmsync.sides import remote
from project.demo.models import Person
from tests.flows import provisioned, recipes
from tests.flows.conftest import Sync
from tests.flows.provisioned import BIRTH, STATUS, held, made, rows

Step, Outcome = provisioning.Step, provision.Outcome


@pytest.fixture
def people(make_sync) -> Sync:
    return provisioned.strip(make_sync())


def create(sync: Sync, *fields: str, extends: tuple[str, ...] = (), **named: str) -> dict[str, provision.Done]:
    done = provision.carry_out(sync.people, dict.fromkeys(fields, "") | named, extends=extends)
    return {one.decision.draft.local: one for one in done}


def archive(sync: Sync, name: str) -> None:
    client = remote.client_for(access.access_of(sync.portal))
    client.send(wire.Request("DELETE", client.paths.properties("contacts", name)))


# --- Creating -----------------------------------------------------------------------------------------------------


def test_missing_properties_are_created_and_joined(people) -> None:
    """U20, C32: with prefix and infix, in the named group that is made for them, and joined to HubSpot only."""
    revision = people.people.revision
    done = create(people, "birth_date", "status", "bio", "newsletter", "credit", "last_seen_at", "owner")
    assert {one.outcome for one in done.values()} == {Outcome.CREATED}
    assert all(one.is_joined for one in done.values())
    shapes = {
        name: (held(people, name)["type"], held(people, name)["fieldType"], held(people, name)["groupName"])
        for name in made(people)
    }
    assert shapes == {
        BIRTH: ("date", "date", "crmsync"),
        STATUS: ("enumeration", "select", "crmsync"),
        "django_person_bio": ("string", "textarea", "crmsync"),
        "django_person_newsletter": ("bool", "booleancheckbox", "crmsync"),
        "django_person_credit": ("number", "number", "crmsync"),
        "django_person_last_seen_at": ("datetime", "date", "crmsync"),
        "django_person_owner": ("enumeration", "select", "crmsync"),
    }
    assert [(one["value"], one["label"]) for one in held(people, STATUS)["options"]] == list(Person.Status.choices)
    assert held(people, BIRTH)["label"] == "Birth date"
    assert held(people, "django_person_owner")["referencedObjectType"] == "OWNER"
    assert rows(people) == {(local, f"django_person_{local}", "push") for local in done}
    mapping = Mapping.objects.get(pk=people.people.pk)
    assert mapping.revision == revision + 1
    assert RemoteProperty.objects.get(name=STATUS).group == "crmsync"


def test_values_flow_into_what_was_created(people) -> None:
    """U20: the next save fills them, every type."""
    create(people, "birth_date", "status", "bio", "newsletter", "credit", "owner")
    people.hub.add_owner("77", "boss@example.com", first="Bo")
    boss = get_user_model().objects.create(username="boss", email="boss@example.com")
    discover.discover(people.portal)
    assert UserLink.objects.get(owner_id="77").user == boss
    Person.objects.create(
        email="ada@example.com",
        birth_date="1815-12-10",
        status="customer",
        bio="Long\ntext",
        newsletter=True,
        credit="12.50",
        owner=boss,
    )
    people.drain()
    (one,) = people.contacts()
    found = {name: one["properties"].get(name) for name in made(people)}
    assert found == {
        BIRTH: "1815-12-10",
        STATUS: "customer",
        "django_person_bio": "Long\ntext",
        "django_person_newsletter": "true",
        "django_person_credit": "12.5",
        "django_person_owner": "77",
    }
    assert people.queued() == (0, 0)


def test_a_second_run_changes_nothing(people) -> None:
    """U20: idempotent."""
    create(people, "birth_date", "status")
    before, mapping = people.writes(), Mapping.objects.get(pk=people.people.pk)
    again = create(people, "birth_date", "status")
    assert {one.outcome for one in again.values()} == {Outcome.EXISTED}
    assert not any(one.is_joined for one in again.values())
    assert people.writes() == before
    assert Mapping.objects.get(pk=people.people.pk).revision == mapping.revision


def test_a_run_that_broke_off_is_taken_up(people) -> None:
    """U20: created in HubSpot, but the rows are lost: the next run uses what is there."""
    create(people, "birth_date")
    FieldMapping.objects.filter(local="birth_date").delete()
    RemoteProperty.objects.filter(name=BIRTH).delete()
    done = create(people, "birth_date")["birth_date"]
    assert (done.outcome, done.is_joined) == (Outcome.EXISTED, True)
    assert rows(people) == {("birth_date", BIRTH, "push")}


def test_a_row_that_was_switched_off_is_switched_on(people) -> None:
    """U20: the pair is unique, so that there cannot be a second one."""
    create(people, "birth_date")
    FieldMapping.objects.filter(local="birth_date").update(is_active=False, direction="both")
    assert create(people, "birth_date")["birth_date"].is_joined
    assert rows(people) == {("birth_date", BIRTH, "push")}


def test_the_settings_name_prefix_and_group(people, settings) -> None:
    """U20: both are configurable; HubSpot's name of the group is made of its label."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PROPERTY_PREFIX": "shop_", "PROPERTY_GROUP": "Our Shop"}
    create(people, "birth_date")
    assert held(people, "shop_person_birth_date")["groupName"] == "our_shop"
    kind = people.hub.portal.kind("contacts")
    assert people.hub.portal.groups[kind.id]["our_shop"]["label"] == "Our Shop"


def test_a_field_behind_a_relation_gets_one(people) -> None:
    create(people, "organisation__city")
    assert rows(people) == {("organisation__city", "django_person_organisation_city", "push")}


def test_a_chosen_name_is_taken(people) -> None:
    create(people, birth_date="born_on")
    assert rows(people) == {("birth_date", "born_on", "push")}
    assert held(people, "born_on")["type"] == "date"


def test_more_than_a_hundred_are_created_in_batches(people, monkeypatch) -> None:
    """U20: HubSpot takes 100 at once."""
    monkeypatch.setattr(properties, "CREATE_SIZE", 2)
    create(people, "birth_date", "status", "bio", "newsletter", "credit")
    assert len(made(people)) == 5
    assert len(rows(people)) == 5


# --- What is there already ----------------------------------------------------------------------------------------


def test_a_compatible_property_is_used(people) -> None:
    """U20: whoever made it; its definition is left alone."""
    recipes.add_property(people, "contacts", BIRTH, "date")
    before = dict(held(people, BIRTH))
    done = create(people, "birth_date")["birth_date"]
    assert (done.outcome, done.is_joined) == (Outcome.EXISTED, True)
    assert held(people, BIRTH) == before


def test_an_incompatible_property_is_refused_with_another_name(people) -> None:
    """U20: and the field beside it is created all the same."""
    recipes.add_property(people, "contacts", BIRTH, "number")
    before = dict(held(people, BIRTH))
    done = create(people, "birth_date", "bio")
    refused = done["birth_date"]
    assert (refused.outcome, refused.decision.other_name) == (Outcome.REFUSED, f"{BIRTH}_2")
    assert refused.why.startswith(f"“{BIRTH}” is in HubSpot already and holds number, but this field needs date.")
    assert held(people, BIRTH) == before
    assert rows(people) == {("bio", "django_person_bio", "push")}
    assert create(people, birth_date=refused.decision.other_name)["birth_date"].outcome is Outcome.CREATED


def test_an_archived_property_of_the_name_is_left_alone(people) -> None:
    """Fault 32: creating it would bring back the old one, with its old definition."""
    create(people, birth_date="born_on")
    FieldMapping.objects.filter(local="birth_date").delete()
    archive(people, "born_on")
    refused = create(people, birth_date="born_on")["birth_date"]
    assert refused.outcome is Outcome.REFUSED
    assert "is archived in HubSpot. Restore it there" in refused.why
    assert held(people, "born_on")["archived"]
    assert rows(people) == set()


def test_another_fields_property_is_not_shared(people) -> None:
    """Two fields that write one property would undo each other."""
    refused = create(people, last_name="firstname")["last_name"]
    assert refused.why == "“first_name” is joined with “firstname” already."
    assert rows(people) == set()


def test_what_hubspot_refuses_is_told_in_its_words(people, monkeypatch) -> None:
    """U20: a reason for each property, and the others are created."""
    real = provision._new

    def wrong(one: provisioning.Draft):
        return dataclasses.replace(real(one), field_type="text") if one.local == "birth_date" else real(one)

    monkeypatch.setattr(provision, "_new", wrong)
    done = create(people, "birth_date", "bio")
    assert done["birth_date"].why == "HubSpot refused it: fieldType text is not valid for type date"
    assert (done["birth_date"].outcome, done["bio"].outcome) == (Outcome.REFUSED, Outcome.CREATED)
    assert rows(people) == {("bio", "django_person_bio", "push")}


# --- Choices that grew --------------------------------------------------------------------------------------------


def grow(monkeypatch) -> None:
    field = Person._meta.get_field("status")
    monkeypatch.setattr(field, "choices", [*Person.Status.choices, ("vip", "Very important")])


def test_our_options_grow_with_the_choices_if_confirmed(people, monkeypatch) -> None:
    """U20: shown, confirmed, and put behind what is there; what HubSpot's people added stays."""
    create(people, "status")
    held(people, STATUS)["options"].append({"value": "x", "label": "X", "displayOrder": 9, "hidden": False})
    discover.discover(people.portal)
    grow(monkeypatch)
    (offer,) = [one for one in propose.find(people.people).rows if one.decision.draft.local == "status"]
    assert (offer.is_mapped, offer.decision.added) == (True, (("vip", "Very important"),))
    assert create(people, "status")["status"].outcome is Outcome.REFUSED
    assert create(people, "status", extends=("status",))["status"].outcome is Outcome.EXTENDED
    values = [one["value"] for one in held(people, STATUS)["options"]]
    assert values == ["lead", "prospect", "customer", "former", "x", "vip"]
    assert ["vip", "Very important"] in RemoteProperty.objects.get(name=STATUS).options
    assert "status" not in {one.decision.draft.local for one in propose.find(people.people).rows}


def test_the_options_of_others_are_never_changed(people, monkeypatch) -> None:
    """U20: the missing ones are named."""
    options = [{"value": value, "label": label} for value, label in Person.Status.choices[:2]]
    recipes.add_property(people, "contacts", STATUS, "enumeration", options=options)
    refused = create(people, "status", extends=("status",))["status"]
    assert refused.outcome is Outcome.REFUSED
    assert "lacks the options customer, former" in refused.why
    assert len(held(people, STATUS)["options"]) == 2


# --- Refusals -----------------------------------------------------------------------------------------------------


def test_a_missing_scope_is_named_before_anything_is_sent(people) -> None:
    """U20: the scope and the way to it."""
    people.hub.change_scopes(token=people.hub.token, remove=["crm.schemas.contacts.write"])
    Portal.objects.update(scopes=[one for one in people.portal.scopes if one != "crm.schemas.contacts.write"])
    people.people.portal.refresh_from_db()
    with pytest.raises(provision.ProvisionError, match=r"scope crm\.schemas\.contacts\.write"):
        create(people, "birth_date")
    assert made(people) == []


def test_a_missing_scope_that_only_hubspot_knows_of(people) -> None:
    """U20: its answer names the scope, and the portal remembers it."""
    people.hub.change_scopes(token=people.hub.token, remove=["crm.schemas.contacts.write"])
    with pytest.raises(provision.ProvisionError, match=r"crm\.schemas\.contacts\.write"):
        create(people, "birth_date")
    assert Portal.objects.get().missing_scopes == ["crm.schemas.contacts.write"]
    assert rows(people) == set()


@pytest.mark.parametrize(
    ("portal", "mapping", "setting", "words"),
    [
        ({}, {}, {"READ_ONLY": True}, "read-only"),
        ({"held": "push"}, {}, {}, "holds back what is sent"),
        ({}, {"held": "push"}, {}, "holds back what is sent"),
        ({"state": "paused"}, {}, {}, "The portal is paused"),
        ({"other_install": "staging"}, {}, {}, "Another installation, “staging”"),
        ({}, {}, {"ENVIRONMENT": "elsewhere"}, "only test accounts|not where the portal was connected"),
        ({}, {"direction": "pull"}, {}, "only takes values from HubSpot"),
        ({}, {"locked_by": "crm.json"}, {}, "kept in the file “crm.json”"),
    ],
)
def test_what_may_not_write_creates_nothing(people, settings, portal, mapping, setting, words) -> None:
    """U20: read-only, held, paused, locked and kept installations refuse before anything is sent."""
    settings.CRMSYNC = {**settings.CRMSYNC, **setting}
    Portal.objects.update(**portal)
    Mapping.objects.update(**mapping)
    before = people.hub.ledger.writes_made
    row = Mapping.objects.select_related("portal").get(pk=people.people.pk)
    with pytest.raises(provision.ProvisionError, match=f"(?i){words}"):
        provision.carry_out(row, {"birth_date": ""})
    assert people.hub.ledger.writes_made == before
    assert rows(people) == set()


def test_a_secret_is_no_field(people) -> None:
    with pytest.raises(propose.ProposalError, match="looks like a secret"):
        create(people, "owner__password")
    assert made(people) == []


def test_nothing_is_called_to_propose(people) -> None:
    """U20: the page reads what was discovered."""
    before = len(people.hub.ledger.requests())
    offers = propose.find(people.people)
    assert {one.decision.draft.name for one in offers.rows} >= {BIRTH, STATUS}
    assert "email" not in {one.decision.draft.local for one in offers.rows}
    assert obstacle.of_mapping(people.people) == ""
    assert len(people.hub.ledger.requests()) == before


def test_roll_ups_are_proposed_after_the_models_own_fields(people) -> None:
    """U20, A13: a count of related rows gets a number; every section stands in one piece."""
    (offer,) = propose.find(people.people, query="opportunities__count").rows
    assert (offer.section, offer.decision.draft.type) == ("opportunities", "number")
    done = create(people, "opportunities__count")
    assert done["opportunities__count"].outcome is Outcome.CREATED
    assert held(people, "django_person_opportunities_count")["type"] == "number"
    sections = [one.section for one in propose.find(people.people).rows]
    assert sections[0] == ""
    assert sum(a != b for a, b in itertools.pairwise(sections)) == len(set(sections)) - 1


def test_proposing_takes_three_queries(people, django_assert_max_num_queries) -> None:
    """U20: however many fields and rows there are."""
    create(people, "birth_date", "status", "bio")
    row = Mapping.objects.select_related("portal").get(pk=people.people.pk)
    with django_assert_max_num_queries(3):
        assert propose.find(row).rows


# --- Races --------------------------------------------------------------------------------------------------------


def test_two_at_once_make_one(people, monkeypatch) -> None:
    """U20: somebody makes the same between our look and our creation."""
    real = provision._read

    def slow(client, object_type):
        found = real(client, object_type)
        monkeypatch.setattr(provision, "_read", real)
        create(people, "birth_date")
        return found

    monkeypatch.setattr(provision, "_read", slow)
    done = create(people, "birth_date")["birth_date"]
    assert done.outcome is Outcome.EXISTED
    assert made(people) == [BIRTH]
    assert FieldMapping.objects.filter(local="birth_date").count() == 1


def test_somebody_elses_property_of_another_type_meanwhile(people, monkeypatch) -> None:
    """U20: it is compared again after the creation."""
    real = provision._read

    def slow(client, object_type):
        found = real(client, object_type)
        people.hub.add_property("contacts", BIRTH, "number")
        return found

    monkeypatch.setattr(provision, "_read", slow)
    refused = create(people, "birth_date")["birth_date"]
    assert refused.outcome is Outcome.REFUSED
    assert "holds number" in refused.why
    assert rows(people) == set()

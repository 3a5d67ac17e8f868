"""HubSpot's own Python client drives the portal over HTTP through a life cycle: the contract test.

The client speaks the legacy v3 and v4 paths. ``hubspot`` is its import name.
"""

import gc
import threading
import urllib.parse
import warnings

import pytest

from crmsync.fakehub import defaults, server
from crmsync.fakehub import hub as hubs

hubspot = pytest.importorskip("hubspot")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of six and of urllib3's older names
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its connection pools are never closed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def served():
    one = server.Server(("127.0.0.1", 0), hubs.FakeHub(limits_on=False))
    thread = threading.Thread(target=one.run)
    thread.start()
    yield one
    one.stop()
    thread.join(5)
    with warnings.catch_warnings():  # what the client left open is not another test's fault
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def client(served):
    served.hub.reset()
    return hubspot.HubSpot(access_token=served.hub.token, host=served.url)


@pytest.fixture
def contacts(client):
    return client.crm.contacts


def refusal(call, *args, **kwargs):
    """What the client raises."""
    with pytest.raises(Exception, match=r".") as caught:
        call(*args, **kwargs)
    return caught.value


def test_one_records_life(contacts):
    made = contacts.basic_api.create({"properties": {"email": "Ada@lovelace.dev", "firstname": "Ada"}})
    assert (made.properties["email"], made.archived, made.created_at.year > 2000) == ("ada@lovelace.dev", False, True)
    found = contacts.basic_api.get_by_id("ada@lovelace.dev", id_property="email", properties=["firstname", "city"])
    assert (found.id, found.properties["firstname"], found.properties["city"]) == (made.id, "Ada", None)
    changed = contacts.basic_api.update(made.id, {"properties": {"city": "London"}})
    assert changed.properties["city"] == "London"
    history = contacts.basic_api.get_by_id(made.id, properties_with_history=["city"]).properties_with_history["city"]
    assert [one.value for one in history] == ["London"]
    contacts.basic_api.archive(made.id)
    assert refusal(contacts.basic_api.get_by_id, made.id).status == 404
    assert contacts.basic_api.get_by_id(made.id, archived=True).archived_at is not None


def test_errors_are_the_clients_own_exceptions(contacts, served):
    from hubspot.crm.contacts import exceptions

    one = contacts.basic_api.create({"properties": {"email": "ada@lovelace.dev"}})
    conflict = refusal(contacts.basic_api.create, {"properties": {"email": "ada@lovelace.dev"}})
    assert isinstance(conflict, exceptions.ApiException)
    assert (conflict.status, f"Existing ID: {one.id}" in conflict.body) == (409, True)
    assert refusal(contacts.basic_api.update, one.id, {"properties": {"nope": "1"}}).status == 400
    stranger = hubspot.HubSpot(access_token="nope", host=served.url)
    assert isinstance(refusal(stranger.crm.contacts.basic_api.get_page), exceptions.UnauthorizedException)


def test_pages_of_all_records(contacts, served):
    served.hub.plant("contacts", [{"firstname": str(number)} for number in range(250)])
    assert [one.properties["firstname"] for one in contacts.get_all()] == [str(number) for number in range(250)]
    assert len(contacts.get_all(properties_with_history=["firstname"], limit=120)) == 120


def test_batches(contacts):
    inputs = [{"properties": {"email": f"u{n}@lovelace.dev"}, "objectWriteTraceId": str(n)} for n in range(5)]
    made = contacts.batch_api.create({"inputs": inputs})
    assert (made.status, len(made.results)) == ("COMPLETE", 5)
    again = contacts.batch_api.create(
        {"inputs": [*inputs[:1], {"properties": {"firstname": "B"}, "objectWriteTraceId": "x"}]}
    )
    assert type(again).__name__ == "BatchResponseSimplePublicObjectWithErrors"
    assert (again.num_errors, again.errors[0].category) == (1, "CONFLICT")
    assert again.errors[0].context["objectWriteTraceId"] == ["0"]
    ids = [{"id": one.id} for one in made.results]
    read = contacts.batch_api.read(
        {"inputs": [*ids, {"id": "9"}], "properties": ["email"], "propertiesWithHistory": []}
    )
    assert (len(read.results), read.errors[0].context) == (5, {"ids": ["9"]})
    updates = [{"id": one["id"], "properties": {"city": "Rome"}} for one in ids]
    assert {one.properties["city"] for one in contacts.batch_api.update({"inputs": updates}).results} == {"Rome"}
    upserts = [{"id": f"u{n}@lovelace.dev", "idProperty": "email", "properties": {"city": "Paris"}} for n in (4, 5)]
    assert sorted(one.new for one in contacts.batch_api.upsert({"inputs": upserts}).results) == [False, True]
    contacts.batch_api.archive({"inputs": ids})
    assert len(contacts.get_all()) == 2


def test_search(contacts):
    for name in ("Ada", "Grace"):
        contacts.basic_api.create({"properties": {"firstname": name}})
    equal = {"propertyName": "firstname", "operator": "EQ", "value": "ada"}
    found = contacts.search_api.do_search(
        {"filterGroups": [{"filters": [equal]}], "limit": 10, "sorts": ["-createdate"]}
    )
    assert (found.total, found.results[0].properties["firstname"]) == (1, "Ada")


def test_merge_and_privacy_deletion(contacts):
    one, two = (contacts.basic_api.create({"properties": {"email": f"{n}@lovelace.dev"}}).id for n in "ab")
    new = contacts.basic_api.merge({"primaryObjectId": one, "objectIdToMerge": two}).id
    assert contacts.basic_api.get_by_id(two).id == new
    contacts.basic_api.purge({"objectId": "a@lovelace.dev", "idProperty": "email"})
    assert refusal(contacts.basic_api.get_by_id, new).status == 404
    assert refusal(contacts.basic_api.create, {"properties": {"email": "a@lovelace.dev"}}).status == 400


def test_properties_and_groups(client):
    api = client.crm.properties
    api.groups_api.create("contacts", {"name": "crmsync", "label": "Sync", "displayOrder": 1})
    given = {"name": "vip", "label": "VIP", "type": "string", "fieldType": "text", "groupName": "crmsync"}
    assert api.core_api.create("contacts", given).modification_metadata.read_only_value is False
    assert refusal(api.core_api.create, "contacts", given).status == 409
    assert api.core_api.update("contacts", "vip", {"label": "Very"}).label == "Very"
    assert "vip" in {one.name for one in api.core_api.get_all("contacts").results}
    read = api.batch_api.read("contacts", {"inputs": [{"name": "vip"}], "archived": False})
    assert read.results[0].label == "Very"
    api.core_api.archive("contacts", "vip")
    assert {one.name for one in api.groups_api.get_all("contacts").results} == {"contactinformation", "crmsync"}


def test_pipelines_and_owners(client):
    pipelines = client.crm.pipelines
    (default,) = pipelines.pipelines_api.get_all("deals").results
    assert default.stages[0].id == "appointmentscheduled"
    stage = {"label": "Won", "displayOrder": 0, "metadata": {"probability": "1.0"}}
    made = pipelines.pipelines_api.create("deals", {"label": "Second", "displayOrder": 1, "stages": [stage]})
    assert made.stages[0].metadata["isClosed"] == "true"
    more = pipelines.pipeline_stages_api.create("deals", made.id, {**stage, "label": "Lost"})
    assert len(pipelines.pipeline_stages_api.get_all("deals", made.id).results) == 2
    pipelines.pipeline_stages_api.archive("deals", made.id, more.id)
    owners = client.crm.owners
    assert [one.first_name for one in owners.owners_api.get_page().results] == ["Ada", "Grace", "Katherine"]
    assert owners.owners_api.get_by_id(9586504, id_property="userId").id == "41629779"


def test_oauth_from_the_consent_url_to_the_end(client, served):
    """X4, U17: the address it builds, the first version's endpoints, and an access token at work."""
    from hubspot.utils import oauth

    redirect = "http://127.0.0.1:8000/back/"
    app = {name: defaults.DEMO_APP[name] for name in ("client_id", "client_secret")}
    served.hub.add_app(app["client_id"], redirect_uris=[redirect])
    scopes = ("oauth", "crm.objects.contacts.read")
    url = oauth.get_auth_url(app["client_id"], redirect, scopes, ("tickets",), "a b")
    location = urllib.parse.urlsplit(served.hub.consent(url))
    answer = dict(urllib.parse.parse_qsl(location.query))
    assert answer["state"] == "a b"
    tokens = client.oauth.tokens_api.create(
        grant_type="authorization_code", code=answer["code"], redirect_uri=redirect, **app
    )
    assert (tokens.token_type, tokens.expires_in, len(tokens.access_token) >= 300) == ("bearer", 1800, True)
    tokens = client.oauth.tokens_api.create(
        grant_type="refresh_token", refresh_token=tokens.refresh_token, redirect_uri=redirect, **app
    )
    access = client.oauth.access_tokens_api.get(tokens.access_token)
    assert (access.hub_id, access.token_type, set(access.scopes)) == (4242, "access", {*scopes, "tickets"})
    assert client.oauth.refresh_tokens_api.get(tokens.refresh_token).client_id == app["client_id"]
    caller = hubspot.HubSpot(access_token=tokens.access_token, host=served.url)
    assert caller.crm.contacts.basic_api.get_page().results == []
    client.oauth.refresh_tokens_api.archive(tokens.refresh_token)
    assert refusal(client.oauth.refresh_tokens_api.get, tokens.refresh_token).status == 404
    again = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token, **app}
    dead = refusal(client.oauth.tokens_api.create, **again)
    assert (dead.status, "BAD_REFRESH_TOKEN" in dead.body) == (400, True)


def test_associations(client):
    contact = client.crm.contacts.basic_api.create({"properties": {"firstname": "Ada"}}).id
    company = client.crm.companies.basic_api.create({"properties": {"name": "Engines"}}).id
    v4 = client.crm.associations.v4
    v4.basic_api.create_default("contacts", contact, "companies", company)
    primary = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    assert v4.basic_api.create("contacts", contact, "companies", company, primary).labels == ["Primary"]
    (near,) = v4.basic_api.get_page("contacts", contact, "companies").results
    assert {one.label for one in near.association_types} == {"Primary", None}
    read = v4.batch_api.get_page("contacts", "companies", {"inputs": [{"id": contact}]})
    assert str(read.results[0].to[0].to_object_id) == company
    v4.basic_api.archive("contacts", contact, "companies", company)
    assert v4.basic_api.get_page("contacts", contact, "companies").results == []


def test_custom_objects_and_tickets_by_the_generic_api(client, served):
    kind = served.hub.add_object_type("cars", requiredProperties=["vin"])
    served.hub.add_property(kind, "vin", hasUniqueValue=True)
    (schema,) = client.crm.schemas.core_api.get_all().results
    assert schema.required_properties == ["vin"]
    car = client.crm.objects.basic_api.create(kind, {"properties": {"vin": "1"}})
    assert client.crm.objects.basic_api.get_by_id(kind, "1", id_property="vin").id == car.id
    ticket = client.crm.tickets.basic_api.create({"properties": {"subject": "Help", "hs_pipeline_stage": "1"}})
    assert ticket.properties["hs_pipeline"] == "0"

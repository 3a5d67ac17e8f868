"""Another API version: how long the present one is supported, and what the other would change, without a write."""

import json
from datetime import date

import pytest

from crmsync.flows import rehearse
from crmsync.hubspot import objects, types, versions
from crmsync.models import ApiUsage, Link, Portal
from project.demo import mappings
from project.demo.models import Person
from tests import factories

OLD, NEW = "2026-03", "2026-09"


@pytest.fixture
def old(sync, ada):
    """A portal of the version before, with one record in sync, and a property that no mapping names."""
    sync.hub.add_property("contacts", "fax", "string", "text", label="Fax")
    rehearse.switch(sync.portal, OLD)
    return sync


def requests_since(sync, seq: int):
    return [row for row in sync.hub.ledger.requests() if row.seq > seq]


@pytest.mark.parametrize(
    ("version", "today", "is_current", "days"),
    [(OLD, date(2026, 9, 30), False, 365), (NEW, date(2026, 9, 30), True, 525), (OLD, date(2027, 10, 1), False, -1)],
)
def test_the_countdown(db, version, today, is_current, days) -> None:
    """F22: version, end of support and the days until then."""
    found = rehearse.state(Portal(pk=1, api_version=version), today)
    assert (found.version, found.is_current, found.days_left) == (version, is_current, days)
    assert found.support_ends == versions.support_ends(version)
    assert found.next_version == {OLD: NEW, NEW: None}[version]


def test_endpoints_in_use_are_named(sync) -> None:
    """F22: which families were called under which version, a month back and no longer."""
    today = date(2026, 10, 31)
    ApiUsage.objects.all().delete()
    for day, version, calls in ((today, NEW, 5), (date(2026, 10, 2), OLD, 7), (date(2026, 9, 1), OLD, 900)):
        ApiUsage.objects.create(portal=sync.portal, day=day, family="objects", version=version, calls=calls, failed=1)
    assert rehearse.state(sync.portal, today).endpoints == (("objects", OLD, 7, 1), ("objects", NEW, 5, 1))


def test_switching(sync) -> None:
    """F22: from now on the portal is called under the other version, and only under one that crmsync speaks."""
    before = sync.hub.ledger.last_seq
    rehearse.switch(sync.portal, OLD)
    Person.objects.create(email="new@example.com")
    sync.drain()
    assert {f"/{OLD}/" in row.path for row in requests_since(sync, before)} == {True}
    with pytest.raises(ValueError, match=rf"use one of {NEW}, {OLD}"):
        rehearse.switch(sync.portal, "2020-01")
    assert Portal.objects.get().api_version == OLD
    Portal.objects.update(api_version="2020-01")
    with pytest.raises(ValueError, match="not supported"):
        rehearse.state(Portal.objects.get(), date(2026, 10, 1))


def test_a_rehearsal_reads_and_never_writes(old) -> None:
    """F22: both versions are read, what differs is told, the ledger shows reads only, and it is all kept."""
    before = old.hub.ledger.last_seq
    report = rehearse.rehearse(old.portal, NEW)
    made = requests_since(old, before)
    assert {row.family for row in made} <= {"read", "schema", "other"}
    assert old.hub.ledger.writes(before) == []
    assert old.hub.ledger.changes(before) == []
    assert {version for row in made for version in (OLD, NEW) if f"/{version}/" in row.path} == {OLD, NEW}
    assert report["reads"]["contacts"] == {"compared": 1, "differences": []}
    assert set(report["reads"]) == {"contacts", "companies", "deals"}
    assert report["writes"] == {"checked": 1, "findings": []}
    assert report["problems"] == []
    assert (report["version"], Portal.objects.get().rehearsal) == (NEW, report)
    assert Portal.objects.get().api_version == OLD


def test_the_client_of_a_rehearsal_cannot_write(old) -> None:
    """F22: whatever asked it to, a write would not leave this process."""
    client = rehearse._reader(old.portal, NEW)
    before = old.hub.ledger.last_seq
    settled = objects.update_batch(client, "contacts", [types.UpdateInput("1", {"city": "Paris"})])
    (error,) = settled.failed.values()
    assert (error.code, requests_since(old, before)) == ("portal.read_only", [])


def test_a_rule_of_the_new_version_is_met_before_it_bites(old, ada) -> None:
    """F22: a conditionally required property that HubSpot does not show to the old version, by property, no value."""
    ada.status = "customer"
    ada.save()
    old.drain()
    old.hub.plant_rule("contacts", "fax", {"hs_lead_status": ["CONNECTED"]})
    report = rehearse.rehearse(old.portal, NEW)
    remote_id = Link.objects.get().remote_id
    facts = {"mapping": mappings.PEOPLE, "id": remote_id, "property": "fax", "kind": "required", "count": 1}
    message = "fax must have a value when hs_lead_status is “CONNECTED”."
    assert report["writes"]["findings"] == [
        {**facts, "message": message, "when": "update"},
        {**facts, "message": message, "when": "create"},
    ]
    assert "Lovelace" not in json.dumps(report)


def test_a_rule_that_hubspot_holds_already_is_no_trouble(old, ada_id) -> None:
    """F22: an update is only asked about what the record lacks; a new record would lack it."""
    old.hub.plant_rule("contacts", "fax")
    old.hub.ui_update("contacts", ada_id, {"fax": "123"})
    findings = rehearse.rehearse(old.portal, NEW)["writes"]["findings"]
    assert [one["when"] for one in findings] == ["create"]


def test_the_same_trouble_of_many_is_told_once(old) -> None:
    """F22: with the first record and how many there are."""
    for number in range(3):
        Person.objects.create(email=f"p{number}@example.com", first_name="P")
    old.drain()
    old.hub.plant_rule("contacts", "fax")
    (finding,) = [one for one in rehearse.rehearse(old.portal, NEW)["writes"]["findings"] if one["when"] == "create"]
    assert finding["count"] == 4


def test_a_property_that_the_new_version_does_not_take(old) -> None:
    """F22: an option that is gone, a property that is gone."""
    old.hub.handle(
        "DELETE",
        f"/crm/properties/{NEW}/contacts/demo_bio",
        {"Authorization": f"Bearer {old.hub.token}"},
    )
    Person.objects.update(bio="Wrote the first program.")
    findings = rehearse.rehearse(old.portal, NEW)["writes"]["findings"]
    assert [(one["property"], one["kind"]) for one in findings] == [("demo_bio", "unknown_property")]
    assert "program" not in json.dumps(findings)


def test_reads_that_differ_are_named_without_values(old, ada_id, monkeypatch) -> None:
    """F22: id and property; here the new version answers something else."""
    real = rehearse._page

    def page(client, object_type, names):
        rows = real(client, object_type, names)
        if client.paths.version == OLD or object_type != "contacts":
            return rows
        return [(key, {**values, "city": "Londinium"}) for key, values in rows]

    monkeypatch.setattr(rehearse, "_page", page)
    report = rehearse.rehearse(old.portal, NEW)
    assert report["reads"]["contacts"] == {"compared": 1, "differences": [{"id": ada_id, "property": "city"}]}
    assert "Lond" not in json.dumps(report)


def test_an_edit_between_the_two_reads_is_no_difference(old, ada_id, monkeypatch) -> None:
    """F22: what moves under the old version too says nothing about the new one."""
    real = rehearse._page
    seen = []

    def page(client, object_type, names):
        if client.paths.version == NEW and object_type == "contacts" and not seen:
            seen.append(old.hub.ui_update("contacts", ada_id, {"city": "Paris"}))
        return real(client, object_type, names)

    monkeypatch.setattr(rehearse, "_page", page)
    assert rehearse.rehearse(old.portal, NEW)["reads"]["contacts"]["differences"] == []
    assert seen


def test_rules_that_cannot_be_judged_are_named(old) -> None:
    """F22: nobody is told that all is well where it was not looked at."""
    old.hub.plant_rule("contacts", "firstname", rule_type="MAX_LENGTH", arguments=["5"])
    (problem,) = rehearse.rehearse(old.portal, NEW)["problems"]
    assert problem == "contacts: rules that are not judged here: firstname (MAX_LENGTH)."


def test_one_refused_type_leaves_the_others(old) -> None:
    """F22, C14: what a missing scope hides is a problem, and the portal goes on as it was."""
    old.hub.change_scopes(token=old.hub.token, remove=["crm.objects.companies.read", "crm.objects.companies.write"])
    report = rehearse.rehearse(old.portal, NEW)
    assert "companies" not in report["reads"]
    assert {"contacts", "deals"} <= set(report["reads"])
    assert any("companies" in one and "scope" in one for one in report["problems"])
    fresh = Portal.objects.get()
    assert (fresh.state, fresh.missing_scopes) == ("connected", [])


def test_a_mapping_that_cannot_run_is_a_problem_of_its_own(old) -> None:
    """F22: the others of its object type are looked at."""
    broken = factories.MappingFactory(portal=old.portal, label="A broken one")
    factories.FieldMappingFactory(mapping=broken, local="city", remote="town")
    report = rehearse.rehearse(old.portal, NEW)
    (problem,) = report["problems"]
    assert "'town'" in problem
    assert report["writes"]["checked"] == 1
    assert set(report["reads"]) == {"contacts", "companies", "deals"}


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (429, 1), (500, 1)])
def test_what_would_meet_every_call_ends_it(old, status, calls) -> None:
    """F22: one call, one sentence; a rehearsal changes nothing of how the portal stands."""
    before = old.hub.ledger.last_seq
    old.hub.plant_fault("status", status=status, times=None)
    report = rehearse.rehearse(old.portal, NEW)
    assert (len(requests_since(old, before)), len(report["problems"]), report["reads"]) == (calls, 1, {})
    assert Portal.objects.get().state == "connected"


def test_a_portal_of_a_version_nobody_speaks(sync) -> None:
    """F22: the page goes on, with the sentence that says what is wrong."""
    Portal.objects.update(api_version="2020-01")
    report = rehearse.rehearse(Portal.objects.get(), NEW)
    assert (report["reads"], report["writes"]["checked"]) == ({}, 0)
    assert "2020-01" in report["problems"][0]


def test_an_unknown_version_is_not_rehearsed(sync) -> None:
    with pytest.raises(ValueError, match="not supported"):
        rehearse.rehearse(sync.portal, "2020-01")

"""The contract on a mapping's page: findings with their rows, effects and remedies, in few queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crmsync.admin import verdict
from crmsync.engine import contract
from crmsync.models import RemoteProperty, RemoteRule
from tests import factories


@pytest.fixture
def mapping(db):
    return factories.make_mapping()


def page_of(boss, pages, mapping) -> str:
    return boss.get(pages.of(mapping)).content.decode()


def test_a_mapping_without_findings_says_so(boss, pages, mapping):
    """F8: what is only good to know is folded away."""
    html = page_of(boss, pages, mapping)
    assert "Nothing to mend" in html
    assert "3 remarks" in html


def test_a_finding_leads_to_its_row_and_says_what_happens(boss, pages, mapping):
    """F8, C24: the page names the row, the effect on the rest, and the remedy."""
    RemoteProperty.objects.filter(name="firstname").update(is_archived=True)
    row = mapping.fields.get(remote="firstname")
    html = page_of(boss, pages, mapping)
    assert f'<a href="{pages.of(row)}">first_name ↔ firstname</a>' in html
    assert "firstname was archived in HubSpot." in html
    assert "This field alone waits" in html
    assert "Restore it in HubSpot, or switch the row off." in html
    assert "Nothing to mend" not in html


def test_what_is_only_warned_of_is_not_folded(boss, pages, mapping):
    """Fault 32: a new required rule is seen before a record fails."""
    facts = {"property": "mobilephone", "kind": "CONDITIONALLY_REQUIRED", "arguments": ["lifecyclestage=customer"]}
    RemoteRule.objects.create(portal=mapping.portal, object_type="contacts", key="one", facts=facts)
    html = page_of(boss, pages, mapping)
    assert html.index("HubSpot demands mobilephone") < html.index("remarks")


def test_values_of_hubspot_are_escaped(boss, pages, mapping):
    mapping.fields.filter(remote="firstname").update(remote="<script")
    html = page_of(boss, pages, mapping)
    assert "no property &lt;script" in html
    assert "no property <script" not in html


def test_whoever_may_only_look_sees_it_too(staff, pages, mapping):
    client = staff("view_mapping", "view_portal")
    assert "Nothing to mend" in page_of(client, pages, mapping)


def test_a_new_mapping_has_no_contract_yet(boss, pages):
    assert "Contract" not in boss.get(pages.add("mapping")).content.decode()


def test_two_more_queries_whatever_there_is(boss, pages, mapping, monkeypatch):
    """F8: the page asks twice more to judge the mapping than not to, with rules, maps and other mappings."""
    factories.FieldMappingFactory(mapping=factories.MappingFactory(portal=mapping.portal))
    factories.RuleConditionFactory(rule__mapping=mapping)
    factories.ValueMapEntryFactory(field=mapping.fields.first())
    boss.get(pages.of(mapping))
    with CaptureQueriesContext(connection) as seen:
        boss.get(pages.of(mapping))
    none = verdict.Judged(contract.MappingFacts(1, "", "contacts"), contract.Schema(), (), {}, frozenset())
    monkeypatch.setattr(verdict, "of", lambda obj: none)
    with CaptureQueriesContext(connection) as without:
        boss.get(pages.of(mapping))
    assert len(seen) - len(without) == 2

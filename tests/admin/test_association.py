"""Associations on the mapping's page, and the list of edges with what they wait for."""

import pytest

from crmsync.engine.terms import EdgeState
from crmsync.models import Association, Edge, OutboxEntry, RemoteLabel
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def people(db):
    mapping = factories.make_mapping()
    RemoteLabel.objects.create(
        portal=mapping.portal, object_type="contacts", to_type="companies", key="HUBSPOT_DEFINED:1", label="Primary"
    )
    return mapping


@pytest.fixture
def companies(people):
    return factories.MappingFactory(
        portal=people.portal, model_label="demo.Organisation", object_type="companies", label="Companies"
    )


def add(boss, pages, mapping, **values):
    row = {f"associations-0-{name}": value for name, value in values.items()}
    return boss.post(pages.of(mapping), pages.fill(boss.get(pages.of(mapping)), **row))


def test_a_relation_is_chosen_with_its_mapping_and_label(boss, pages, people, companies):
    shown = boss.get(pages.of(people))
    html = shown.content.decode()
    assert '<option value="organisation">organisation</option>' in html
    assert '<option value="Primary">companies</option>' in html
    assert 'value="city"' not in html.partition('name="associations-0-local"')[2].partition("</select>")[0]
    response = add(boss, pages, people, local="organisation", to_mapping=companies.pk, label="Primary")
    assert response.status_code == 302
    row = Association.objects.get()
    assert (row.mapping, row.local, row.to_mapping, row.label) == (people, "organisation", companies, "Primary")
    before = people.revision
    people.refresh_from_db()
    assert people.revision == before + 1


def test_what_cannot_work_is_refused_with_the_remedy(boss, pages, people, companies):
    html = add(boss, pages, people, local="organisation", to_mapping=people.pk).content.decode()
    assert "Choose a mapping of demo.Organisation" in html
    html = add(boss, pages, people, local="organisation", to_mapping=companies.pk, label="Boss").content.decode()
    assert "HubSpot has no label “Boss”" in html
    other = factories.MappingFactory(model_label="demo.Organisation", object_type="companies")
    html = add(boss, pages, people, local="organisation", to_mapping=other.pk).content.decode()
    assert "Select a valid choice" in html
    assert not Association.objects.exists()


def test_an_edge_that_waits_says_what_became_of_the_other_record(boss, pages, people, companies):
    association = factories.AssociationFactory(mapping=people, to_mapping=companies)
    facts = {"association": association, "state": EdgeState.WAITING, "remote_id": "", "detail": "It waits for 9."}
    parked = factories.EdgeFactory(local_pk="9", **facts)
    factories.EdgeFactory(local_pk="10", **facts)
    factories.OutboxEntryFactory(mapping=companies, local_pk="9", state="parked", last_code="remote.rejected")
    html = boss.get(pages.list("edge"), {"state__exact": "waiting"}).content.decode()
    assert "It waits for 9." in html
    assert "It needs attention: remote.rejected" in html
    assert "nothing is queued" in html
    assert "remote.rejected" in boss.get(pages.of(parked)).content.decode()


def test_an_edge_of_a_label_that_is_gone_says_so(boss, pages, people, companies):
    """F8, F19: on the list, on its page, in the contract on the mapping's page, with the remedy."""
    association = factories.AssociationFactory(mapping=people, to_mapping=companies, label="Primary")
    edge = factories.EdgeFactory(association=association)
    for url in (pages.list("edge"), pages.of(edge), pages.of(people)):
        assert "no label “Primary”" not in boss.get(url).content.decode()
    RemoteLabel.objects.all().delete()
    for url in (pages.list("edge"), pages.of(edge), pages.of(people)):
        html = boss.get(url).content.decode()
        assert "HubSpot has no label “Primary” from contacts to companies" in html
        assert "Refresh fields" in html
    html = boss.get(pages.list("edge")).content.decode()
    assert "held back" in html


def test_edges_are_filtered_and_found_by_key(boss, pages):
    wanted = factories.EdgeFactory(state=EdgeState.REFUSED)
    factories.EdgeFactory()
    for query in (
        {"state__exact": "refused"},
        {"q": wanted.remote_id},
        {"association__id__exact": wanted.association_id},
    ):
        assert list(boss.get(pages.list("edge"), query).context["cl"].result_list) == [wanted]


def test_many_edges_need_few_queries(boss, pages, django_assert_max_num_queries, people, companies):
    association = factories.AssociationFactory(mapping=people, to_mapping=companies)
    factories.EdgeFactory.create_batch(20, association=association, state=EdgeState.WAITING, remote_id="")
    boss.get(pages.list("edge"))
    with django_assert_max_num_queries(22):
        boss.get(pages.list("edge"))


def test_trying_again_makes_the_record_due(boss, staff, pages):
    edge = factories.EdgeFactory(state=EdgeState.REFUSED, asserted=3)
    assert pages.act(staff("view_edge"), "try_again", edge).status_code == 403
    assert not OutboxEntry.objects.exists()
    assert "1 record is due now" in said(pages.act(staff("view_edge", "operate_sync"), "try_again", edge))
    assert OutboxEntry.objects.get().local_pk == edge.link.local_pk
    assert Edge.objects.get().asserted == 0


def test_nobody_edits_edges(boss, pages):
    edge = factories.EdgeFactory()
    assert boss.post(pages.of(edge), {"state": "made"}).status_code == 403
    assert boss.get(f"{pages.list('edge')}add/").status_code == 403

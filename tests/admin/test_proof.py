"""The page of a mapping's round-trip proof: what does not come back, in words, with nothing written."""

import re

import pytest

from crmsync.engine import prove as engine
from crmsync.flows import lifecycle
from crmsync.ledger import steps
from crmsync.models import AcceptedProof, Link, LogEntry, Mapping, Run
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(db) -> Mapping:
    """Two local statuses share one of HubSpot."""
    made = factories.MappingFactory(label="People")
    factories.RemotePropertyFactory(portal=made.portal, name="news", type="bool", field_type="booleancheckbox")
    factories.FieldMappingFactory(mapping=made, local="newsletter", remote="news")
    options = [["NEW", "New"], ["WON", "Won"]]
    factories.RemotePropertyFactory(
        portal=made.portal, name="stage", type="enumeration", field_type="select", options=options
    )
    field = factories.FieldMappingFactory(mapping=made, local="status", remote="stage")
    rows = (
        ("lead", "NEW", "both"),
        ("prospect", "NEW", "push"),
        ("former", "WON", "push"),
        ("customer", "WON", "both"),
    )
    for ours, theirs, way in rows:
        factories.ValueMapEntryFactory(field=field, local_value=ours, remote_value=theirs, direction=way)
    return made


def show(client, pages, mapping) -> str:
    response = client.get(pages.at("mapping_proof", mapping.pk))
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_the_chain_with_its_reason_and_remedy(boss, pages, mapping):
    """F5: field, direction, start, becomes, comes back as, why, remedy, and whether it is written by itself."""
    html = show(boss, pages, mapping)
    assert "This page has written nothing to any record." in html
    cells = [
        "Django → HubSpot → Django",
        "prospect",
        "NEW",
        "lead",
        "several values share one",
        "lead becomes NEW as well.",
        "Give each value a partner of its own",
        "never",
    ]
    (row,) = [part for part in html.partition("Remembered (2)")[2].split("</tr>") if "<td>prospect</td>" in part]
    places = [row.index(cell) for cell in cells]
    assert places == sorted(places)
    assert "newsletter ↔ news: all 6 values come back" in html
    assert "status ↔ stage: 2 of 8 values do not come back" in html


def test_it_writes_nothing_and_stops_nothing(boss, pages, mapping):
    """F5: findings are information."""
    show(boss, pages, mapping)
    assert [model.objects.count() for model in (Link, LogEntry, Run)] == [0, 0, 0]
    fresh = Mapping.objects.get()
    assert (fresh.state, fresh.problem, fresh.revision) == (mapping.state, "", mapping.revision)


def test_a_mapping_without_findings_says_so(boss, pages, mapping):
    mapping.fields.filter(local="status").delete()
    html = show(boss, pages, mapping)
    assert "Every value that was tried comes back as it went." in html
    assert "<tbody>" not in html


def test_a_mapping_without_fields_says_what_to_do(boss, pages, mapping):
    mapping.fields.all().delete()
    assert "No field flows in any direction: add a field mapping" in show(boss, pages, mapping)


def test_a_refused_value_and_a_one_way_field_are_told(boss, pages, mapping):
    """F5, X14: what cannot cross has no further values; one way has no way back."""
    mapping.fields.filter(local="status").update(direction="pull")
    field = mapping.fields.get(local="status")
    field.value_map.filter(remote_value="WON").delete()
    html = show(boss, pages, mapping)
    assert "status ← stage: 1 of 3 values do not come back" in html
    row = html.partition("<tbody>")[2]
    assert "HubSpot → Django</td>" in row
    assert "The value map has no local value for &quot;WON&quot;" in row


def test_a_long_list_is_cut_and_says_so(boss, pages, mapping, monkeypatch):
    """F5: findings of a field are bounded, with their count."""
    monkeypatch.setattr(engine, "LISTED", 1)
    html = show(boss, pages, mapping)
    assert "2 of 8 values do not come back, the first 1 are below" in html
    assert html.partition("<tbody>")[2].count("<tr") == 1


def test_a_mapping_that_cannot_run_says_why(boss, pages, mapping):
    factories.FieldMappingFactory(mapping=mapping, local="city", remote="town")
    assert "names the HubSpot property" in show(boss, pages, mapping)


def test_who_may_see_the_mapping_may_see_its_proof(staff, pages, mapping):
    """It quotes options, choices and made-up values: none of a record."""
    url = pages.at("mapping_proof", mapping.pk)
    viewer = staff("view_mapping")
    assert viewer.get(url).status_code == 200
    assert url in viewer.get(pages.of(mapping)).content.decode()
    assert pages.at("mapping_preview", mapping.pk) not in viewer.get(pages.of(mapping)).content.decode()
    assert staff().get(url).status_code == 403


def test_the_mapping_s_page_leads_there(boss, pages, mapping):
    html = boss.get(pages.of(mapping)).content.decode()
    assert pages.at("mapping_proof", mapping.pk) in html
    assert pages.at("mapping_preview", mapping.pk) in html


def test_strangers_are_sent_to_the_login(client, pages, mapping):
    response = client.get(pages.at("mapping_proof", mapping.pk))
    assert response.status_code == 302
    assert "/login/" in response.url


# --- Accepting ----------------------------------------------------------------------------------------------------


@pytest.fixture
def odd(mapping) -> Mapping:
    """One status that goes to NEW and comes back as another one."""
    lines = mapping.fields.get(local="status").value_map
    lines.all().delete()
    field = mapping.fields.get(local="status")
    factories.ValueMapEntryFactory(field=field, local_value="lead", remote_value="NEW", direction="push")
    factories.ValueMapEntryFactory(field=field, local_value="customer", remote_value="NEW", direction="pull")
    return mapping


def boxes(html: str) -> list[str]:
    return re.findall(r'name="accept" value="([^"]+)"', html)


def test_a_finding_is_accepted_row_by_row(boss, pages, odd):
    """F5: a box for what comes back different, for nothing else; then it says who accepted it and when."""
    html = show(boss, pages, odd)
    (pick,) = boxes(html)
    assert "Comes back different" in html
    assert "Accept chosen" in html
    url = pages.at("mapping_proof", odd.pk)
    answer = boss.post(url, {"accept": [pick]}, follow=True)
    assert "1 finding was accepted." in said(answer)
    row = AcceptedProof.objects.get()
    assert (row.field, row.by_id) == (odd.fields.get(local="status"), int(boss.session["_auth_user_id"]))
    html = answer.content.decode()
    assert not boxes(html)
    assert "Comes back different" not in html
    accepted = html.partition("<h2>Accepted</h2>")[2]
    assert str(row.by) in accepted
    assert "just now" in accepted


@pytest.mark.parametrize("sent", [[], ["1-" + "0" * 64], ["nonsense"], ["9999-" + "a" * 64]])
def test_only_what_is_found_now_can_be_accepted(boss, pages, odd, sent):
    """F5: nothing of what a browser sends is stored as it is."""
    answer = boss.post(pages.at("mapping_proof", odd.pk), {"accept": sent}, follow=True)
    assert "Nothing was accepted" in said(answer)
    assert not AcceptedProof.objects.exists()


def test_what_became_of_it_since_has_to_be_accepted_anew(boss, pages, odd):
    """F5: the key names value and result."""
    url = pages.at("mapping_proof", odd.pk)
    (pick,) = boxes(show(boss, pages, odd))
    odd.fields.get(local="status").value_map.filter(direction="pull").update(local_value="former")
    boss.post(url, {"accept": [pick]})
    assert not AcceptedProof.objects.exists()
    (other,) = boxes(show(boss, pages, odd))
    assert other != pick


def test_an_acceptance_is_taken_back_and_the_mapping_is_no_longer_proven(boss, pages, odd):
    """F5, A32: a button on its row; an edit among the mapping's steps, with the person and what it was."""
    url = pages.at("mapping_proof", odd.pk)
    (pick,) = boxes(show(boss, pages, odd))
    boss.post(url, {"accept": [pick]})
    Mapping.objects.update(state="tested")
    steps.record(Mapping.objects.get(), "tested")
    assert not [one for one in lifecycle.find_obstacles(odd) if "nobody has accepted" in one]
    answer = boss.post(url, {"withdraw": pick}, follow=True)
    assert "has to be tested anew" in said(answer)
    assert not AcceptedProof.objects.exists()
    fresh = Mapping.objects.get()
    assert (fresh.state, lifecycle.find_life(fresh).is_tested) == ("draft", False)
    step = fresh.steps.first()
    assert step.by_id == int(boss.session["_auth_user_id"])
    assert "no longer accepted: status ↔ stage: lead" in step.note
    assert boxes(answer.content.decode()) == [pick]
    assert [one for one in lifecycle.find_obstacles(fresh) if "nobody has accepted" in one]


def test_taking_back_twice_says_so_and_changes_nothing(boss, pages, odd):
    """P7: repeat-safe."""
    (pick,) = boxes(show(boss, pages, odd))
    before = Mapping.objects.get().revision
    answer = boss.post(pages.at("mapping_proof", odd.pk), {"withdraw": pick}, follow=True)
    assert "not accepted any more" in said(answer)
    assert Mapping.objects.get().revision == before


def test_taking_back_needs_the_permission_to_change_mappings(staff, boss, pages, odd):
    (pick,) = boxes(show(boss, pages, odd))
    url = pages.at("mapping_proof", odd.pk)
    boss.post(url, {"accept": [pick]})
    viewer = staff("view_mapping")
    assert "Take back" not in show(viewer, pages, odd)
    assert viewer.post(url, {"withdraw": pick}).status_code == 403
    assert AcceptedProof.objects.count() == 1


def test_accepting_needs_the_permission_to_change_mappings(staff, pages, odd):
    viewer = staff("view_mapping")
    assert not boxes(show(viewer, pages, odd))
    (pick,) = boxes(show(staff("view_mapping", "change_mapping"), pages, odd))
    assert viewer.post(pages.at("mapping_proof", odd.pk), {"accept": [pick]}).status_code == 403
    assert not AcceptedProof.objects.exists()


def test_an_unknown_mapping_is_not_found(boss, pages):
    assert boss.get(pages.at("mapping_proof", 99)).status_code == 404


def test_it_opens_in_few_queries(boss, pages, mapping, django_assert_max_num_queries):
    with django_assert_max_num_queries(24):
        boss.get(pages.at("mapping_proof", mapping.pk))

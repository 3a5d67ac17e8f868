"""Duplicating a mapping into another portal: a draft with all that portal can take, and a list of the rest."""

import pytest

from crmsync.models import Mapping, Portal
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(db) -> Mapping:
    made = factories.make_mapping(label="People", portal__label="Main")
    stage = {"type": "enumeration", "field_type": "select", "options": [["NEW", "New"]]}
    factories.RemotePropertyFactory(portal=made.portal, name="stage", **stage)
    field = factories.FieldMappingFactory(mapping=made, local="status", remote="stage")
    factories.ValueMapEntryFactory(field=field, local_value="lead", remote_value="NEW")
    factories.LinkFactory(mapping=made)
    return made


@pytest.fixture
def sandbox(db) -> Portal:
    """It has the properties of people, but no "stage"."""
    portal = factories.PortalFactory(label="Sandbox")
    for _local, remote, kind in factories.PERSON_FIELDS:
        factories.RemotePropertyFactory(portal=portal, object_type="contacts", name=remote, type=kind)
    return portal


def test_the_copy_is_shown_before_it_is_made(boss, pages, mapping, sandbox):
    """Page 4: what is made, and what is left out, with the reason."""
    html = boss.get(pages.at("mapping_duplicate", mapping.pk), {"portal": sandbox.pk}).content.decode()
    assert "+ People (Sandbox)" in html
    left = html.partition("What is left out")[2].partition("What is made")[0]
    assert "The portal has no property “stage”" in left
    assert Mapping.objects.count() == 1


def test_the_copy_is_a_draft_without_links(boss, pages, mapping, sandbox):
    """Page 4: all that can be resolved, as a draft; what could not be is listed."""
    answer = boss.post(pages.at("mapping_duplicate", mapping.pk), {"portal": sandbox.pk, "suffix": " 2"}, follow=True)
    copy = Mapping.objects.get(label="People 2")
    assert (copy.portal, copy.state, copy.links.count()) == (sandbox, "draft", 0)
    kept = set(mapping.fields.exclude(local="status").values_list("local", "remote", "direction"))
    assert set(copy.fields.values_list("local", "remote", "direction")) == kept
    assert copy.match_keys.count() == 1
    assert "Left out: " in said(answer)
    assert "stage" in said(answer)
    step = copy.steps.get()
    assert (step.note, step.by_id) == (
        f"created: from “People” of {mapping.portal}",
        int(boss.session["_auth_user_id"]),
    )
    assert mapping.fields.count() == len(kept) + 1


def test_a_name_that_is_taken_is_refused(boss, pages, mapping, sandbox):
    factories.MappingFactory(label="People (Sandbox)", portal=sandbox)
    answer = boss.post(pages.at("mapping_duplicate", mapping.pk), {"portal": sandbox.pk})
    assert "There is a mapping of this name." in answer.content.decode()
    assert Mapping.objects.count() == 2


def test_a_portal_whose_fields_are_not_known_takes_no_copy(boss, pages, mapping):
    bare = factories.PortalFactory(label="Bare")
    answer = boss.post(pages.at("mapping_duplicate", mapping.pk), {"portal": bare.pk})
    assert "are not known yet" in answer.content.decode()
    assert Mapping.objects.count() == 1


@pytest.mark.parametrize("portal", ["", "x", "99999", "own"])
def test_another_portal_must_be_named(boss, pages, mapping, portal):
    own = str(mapping.portal_id) if portal == "own" else portal
    assert boss.post(pages.at("mapping_duplicate", mapping.pk), {"portal": own}).status_code == 200
    assert Mapping.objects.count() == 1


def test_the_list_s_action_leads_there(boss, pages, mapping):
    answer = boss.post(pages.list("mapping"), {"action": "duplicate", "_selected_action": [mapping.pk], "index": "0"})
    assert answer.url == pages.at("mapping_duplicate", mapping.pk)
    other = factories.MappingFactory()
    assert "Choose one mapping" in said(pages.act(boss, "duplicate", mapping, other))

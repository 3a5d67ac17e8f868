"""The page of a mapping's life and revisions, and restoring one of them."""

import pytest

from crmsync.flows import lifecycle
from crmsync.models import FieldMapping, Mapping
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(db) -> Mapping:
    """Three revisions: the last name goes to HubSpot only, then comes from it only."""
    made = factories.make_mapping(state="draft", label="People")
    lifecycle.note_edit(made, factories.UserFactory(username="ann").pk)
    for way in ("push", "pull"):
        made.fields.filter(local="last_name").update(direction=way)
        lifecycle.note_edit(made, None)
    return made


def way() -> str:
    return FieldMapping.objects.get(local="last_name").direction


def test_it_lists_the_steps_with_who_and_why(boss, pages, mapping):
    """A32, F20."""
    lifecycle.mark_tested(mapping, factories.UserFactory(username="bob").pk, "Tried with three contacts.")
    html = boss.get(pages.at("mapping_life", mapping.pk)).content.decode()
    assert "tested at revision 4" in html
    rows = html.partition("<tbody>")[2].split("</tr>")
    assert all(word in rows[0] for word in ("tested", "bob", "Tried with three contacts."))
    assert all(word in rows[3] for word in ("draft", "ann", "edited"))
    assert pages.at("mapping_restore", mapping.pk, 2) in rows[3]
    assert pages.at("mapping_restore", mapping.pk, 4) not in html
    assert pages.at("mapping_life", mapping.pk) in boss.get(pages.of(mapping)).content.decode()


def test_it_shows_a_configuration_and_what_lies_between_two(boss, pages, mapping):
    """F20: in words."""
    url = pages.at("mapping_life", mapping.pk)
    assert "&quot;direction&quot;: &quot;push&quot;" in boss.get(url, {"show": "3"}).content.decode()
    html = boss.get(url, {"old": "2", "new": "4"}).content.decode()
    assert "~ People › last_name ↔ lastname › direction: &quot;both&quot; → &quot;pull&quot;" in html
    assert "Nothing differs." in boss.get(url, {"old": "4", "new": "4"}).content.decode()


@pytest.mark.parametrize("query", [{"old": "99", "new": "2"}, {"old": "2", "new": "99"}])
def test_a_revision_that_is_not_kept_says_so(boss, pages, mapping, query):
    assert "is not kept" in boss.get(pages.at("mapping_life", mapping.pk), query).content.decode()


@pytest.mark.parametrize("query", [{"show": "x"}, {"old": "-1", "new": "²"}, {"show": "9" * 40}])
def test_what_is_no_number_is_ignored(boss, pages, mapping, query):
    assert boss.get(pages.at("mapping_life", mapping.pk), query).status_code == 200


def test_restoring_shows_the_plan_first_and_changes_by_post_only(boss, pages, mapping):
    """F20: the plan, then the change, as a new revision by whoever pressed."""
    url = pages.at("mapping_restore", mapping.pk, 2)
    html = boss.get(url).content.decode()
    assert "direction: &quot;pull&quot; → &quot;both&quot;" in html
    assert way() == "pull"
    answer = boss.post(url, follow=True)
    assert "Revision 2 was restored." in said(answer)
    assert way() == "both"
    step = mapping.steps.first()
    assert (step.revision, step.by_id) == (5, int(boss.session["_auth_user_id"]))
    assert "Nothing differs" in boss.get(url).content.decode()


def test_a_restored_revision_is_a_draft_that_must_be_tested_again(boss, pages, mapping):
    """A32."""
    lifecycle.mark_tested(mapping, None)
    boss.post(pages.at("mapping_restore", mapping.pk, 2))
    assert Mapping.objects.get().state == "draft"


def test_what_is_kept_in_a_file_is_not_restored_here(boss, pages, mapping):
    Mapping.objects.update(locked_by="crm.json")
    url = pages.at("mapping_restore", mapping.pk, 2)
    assert boss.post(url).status_code == 403
    assert url not in boss.get(pages.at("mapping_life", mapping.pk)).content.decode()
    assert way() == "pull"


def test_what_no_longer_fits_is_told_and_changes_nothing(boss, pages, mapping):
    mapping.portal.properties.filter(name="firstname").delete()
    answer = boss.post(pages.at("mapping_restore", mapping.pk, 2))
    assert "firstname" in answer.content.decode()
    assert "errornote" in answer.content.decode()
    assert way() == "pull"


def test_a_mapping_made_by_code_has_no_history_yet(boss, pages):
    made = factories.make_mapping()
    assert "Nothing is recorded yet" in boss.get(pages.at("mapping_life", made.pk)).content.decode()
    assert boss.get(pages.at("mapping_life", 99)).status_code == 404


def test_it_opens_in_few_queries(boss, pages, mapping, django_assert_max_num_queries):
    for _ in range(20):
        lifecycle.note_edit(mapping, None)
    with django_assert_max_num_queries(14):
        boss.get(pages.at("mapping_life", mapping.pk))

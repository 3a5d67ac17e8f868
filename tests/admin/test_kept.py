"""A mapping that is kept in a file: shown, not edited, with the file named."""

import pytest

from crmsync.flows import configure
from crmsync.models import FieldMapping, Mapping, SyncRule
from tests import factories
from tests.admin.conftest import said

FILE = "config/crm.json"


@pytest.fixture
def kept(db) -> Mapping:
    mapping = factories.make_mapping(label="People")
    factories.RuleConditionFactory(rule__mapping=mapping, rule__name="Leeds")
    Mapping.objects.filter(pk=mapping.pk).update(locked_by=FILE)
    return mapping


def test_a_kept_mapping_is_shown_with_its_file(boss, pages, kept) -> None:
    """F9: even a superuser only reads it, and is told where it is edited; its buttons stay."""
    response = boss.get(pages.of(kept))
    text = response.content.decode()
    assert f"This mapping is kept in the file “{FILE}”" in text
    assert 'name="_save"' not in text
    assert 'name="direction"' not in text
    assert 'name="fields-0-local"' not in text
    assert boss.post(pages.of(kept), {"label": "Other"}).status_code == 403
    assert Mapping.objects.get(pk=kept.pk).label == "People"


@pytest.mark.parametrize("part", [FieldMapping, SyncRule])
def test_its_parts_are_shown_only(boss, pages, kept, part) -> None:
    """F9: rows and rules have pages of their own."""
    row = part.objects.filter(mapping=kept).first()
    assert 'name="_save"' not in boss.get(pages.of(row)).content.decode()
    assert boss.post(pages.of(row), {}).status_code == 403
    assert boss.post(f"{pages.of(row).removesuffix('change/')}delete/", {"post": "yes"}).status_code == 403
    pages.act(boss, "delete_selected", row)
    assert part.objects.filter(pk=row.pk).exists()


def test_it_cannot_be_deleted(boss, pages, kept) -> None:
    """F9: nor among others."""
    pages.act(boss, "delete_selected", kept, factories.MappingFactory(label="Other"))
    assert boss.post(f"{pages.of(kept).removesuffix('change/')}delete/", {"post": "yes"}).status_code == 403
    assert Mapping.objects.count() == 2


def test_no_rule_can_be_added_to_it(boss, pages, kept) -> None:
    """F9."""
    other = factories.MappingFactory(label="Other")
    choices = boss.get(pages.add("syncrule")).context["adminform"].form.fields["mapping"].queryset
    assert list(choices) == [other]


def test_it_can_still_be_paused(boss, pages, kept) -> None:
    """F9: the file does not hold the state."""
    said(pages.act(boss, "pause", kept, tool=True))
    assert Mapping.objects.get(pk=kept.pk).state == "paused"


def test_another_mapping_is_edited_as_ever(boss, pages, kept) -> None:
    """F9."""
    other = factories.make_mapping(label="Other")
    assert 'name="_save"' in boss.get(pages.of(other)).content.decode()


def test_an_edit_in_the_admin_is_the_whole_difference(boss, pages) -> None:
    """F9: diff shows exactly that edit, and plan would take it back."""
    mapping = factories.make_mapping(label="People")
    text = configure.export(mapping.portal, configure.Options()).text
    assert configure.diff(mapping.portal, text, configure.Options()) == []
    page = pages.of(mapping.fields.get(local="last_name"))
    response = boss.post(page, pages.fill(boss.get(page), conflict="prefer_local", _save="1"))
    assert response.status_code == 302
    line = "People › last_name ↔ lastname › conflict"
    found = configure.diff(mapping.portal, text, configure.Options(file="crm.json"))
    assert found[2:] == [f'-{line}: "prefer_local"', f'+{line}: "prefer_hubspot"']
    (change,) = configure.make_plan(mapping.portal, text, configure.Options()).changes
    assert str(change) == f'~ {line}: "prefer_local" → "prefer_hubspot"'

"""What staff choose on pages of a mapping, by keyboard and without JavaScript: a side, a combination, one record."""

import pytest

from crmsync.models import Conflict, FieldMapping, Link, Mapping
from project.demo.models import Person
from tests import factories
from tests.browser.test_mappings import choose, portal, url_of
from tests.browser.test_portals import BOTH, text

__all__ = ["portal"]


@pytest.fixture
def people(portal) -> Mapping:
    mapping = factories.MappingFactory(portal=portal, label="People", creates_remote=False)
    for local, remote in (("email", "email"), ("city", "city")):
        factories.FieldMappingFactory(mapping=mapping, local=local, remote=remote, conflict="ask")
    factories.MatchKeyFactory(mapping=mapping)
    return mapping


def press_by_keyboard(page, name: str) -> None:
    """Tab until the button of this name has the focus, which is seen, then Enter."""
    page.keyboard.press("Home")
    for _ in range(150):
        found = page.evaluate("(e => [e.value, e.textContent.trim(), e.ariaLabel])(document.activeElement)")
        if name in found and page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none":
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError(f"no key leads to {name!r}")
    with page.expect_navigation():
        page.keyboard.press("Enter")


@BOTH
@pytest.mark.django_db(transaction=True)
def test_one_record_is_made_and_a_side_is_chosen_by_keyboard(desk, people, javascript) -> None:
    """J8, X3: searched and made in HubSpot once; then both sides change it, and a person says whose side stands."""
    ada = Person.objects.create(email="ada@example.com", first_name="Ada", city="London")
    desk.work()
    assert not desk.hub.records("contacts")
    page = desk.log_in("mapper", javascript=javascript, viewport={"width": 360, "height": 800}, color_scheme="dark")
    page.goto(url_of(desk, people, "once"))
    page.locator("#crmsync-q").focus()
    page.keyboard.type("ada@example.com")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "HubSpot becomes “London”" in text(page)
    press_by_keyboard(page, "Create it in HubSpot")
    (contact,) = desk.hub.records("contacts")
    assert contact["properties"]["city"] == "London"
    assert f"In HubSpot it is {contact['id']}" in text(page)

    Person.objects.filter(pk=ada.pk).update(city="Paris")
    desk.hub.ui_update("contacts", contact["id"], {"city": "Rome"})
    page.goto(url_of(desk, people, "try") + f"?q={ada.pk}")
    press_by_keyboard(page, "Sync this one for real")
    conflict = Conflict.objects.get(winner="")
    page.goto(url_of(desk, conflict))
    assert "Paris" in text(page)
    assert "Rome" in text(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    press_by_keyboard(page, "HubSpot's side stands")
    assert "replaces what is there" in text(page)
    press_by_keyboard(page, "HubSpot's side stands")
    assert "1 conflict was decided" in text(page)
    desk.work()
    ada.refresh_from_db()
    assert (ada.city, desk.hub.record("contacts", contact["id"])["properties"]["city"]) == ("Rome", "Rome")
    assert Link.objects.count() == 1


@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_combination_is_chosen_from_lists(desk, people, javascript) -> None:
    """A29: the fields, then a line a combination; nothing is typed."""
    row = factories.FieldMappingFactory(mapping=people, local="status", remote="lifecyclestage", direction="push")
    page = desk.log_in("mapper", javascript=javascript)
    page.goto(url_of(desk, row))
    with page.expect_navigation():
        page.get_by_role("link", name="Combine fields").click()
    page.get_by_label("Field 2").select_option("lead_source")
    with page.expect_navigation():
        page.get_by_role("button", name="Show combinations").click()
    page.get_by_label("status, line 1", exact=True).select_option("lead")
    page.get_by_label("lead_source, line 1", exact=True).select_option("fair")
    choose(page, "to-0", "opportunity")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    assert "1 combination" in text(page)
    row = FieldMapping.objects.get(pk=row.pk)
    assert row.local == "status+lead_source"
    assert list(row.value_map.values_list("local_value", "remote_value")) == [("lead + fair", "opportunity")]

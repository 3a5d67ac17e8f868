"""A version in a browser, by keyboard: prepared, edited, tried on a record, dropped, tried again, promoted."""

import pytest

from crmsync.engine.terms import MappingState
from crmsync.flows import lifecycle
from crmsync.models import Canary, FieldMapping, Link, Mapping, Portal
from project.demo.models import Person
from tests import factories
from tests.browser.test_mappings import CONTINUE, portal, url_of
from tests.browser.test_portals import BOTH, text

__all__ = ["portal"]  # the fixture


def make_live(portal: Portal) -> Mapping:
    mapping = factories.MappingFactory(portal=portal, label="People", model_label="demo.Person", state="draft")
    for local, remote in (("email", "email"), ("first_name", "firstname")):
        factories.FieldMappingFactory(mapping=mapping, local=local, remote=remote)
    factories.MatchKeyFactory(mapping=mapping, local="email", remote="email", normaliser="email")
    lifecycle.switch_on(mapping, None, may_approve=True)
    return mapping


def enter(page, control) -> None:
    """Press what has the focus, as somebody without a mouse does."""
    control.focus()
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")


def reach(page, name: str, role: str = "button"):
    """A control that Tab can reach."""
    found = page.get_by_role(role, name=name, exact=True).first
    assert found.evaluate("one => one.tabIndex") >= 0
    return found


@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_version_is_prepared_tried_dropped_and_promoted_by_keyboard(desk, portal, javascript) -> None:
    """F20: the live mapping goes on; the results, the way back and the next revision."""
    live = make_live(portal)
    ada = Person.objects.create(first_name="Ada", last_name="Lovelace", email="ada@example.com")
    bob = Person.objects.create(first_name="Bob", last_name="Brown", email="bob@example.com")
    desk.work()
    contact = Link.objects.get(local_pk=ada.pk).remote_id
    page = desk.log_in("mapper", javascript=javascript)

    page.goto(url_of(desk, live))
    enter(page, reach(page, "Prepare a new version"))
    version = Mapping.objects.get(version_of=live)
    assert "which goes on as it is" in text(page)
    assert "It never runs by itself" in text(page)
    factories.FieldMappingFactory(mapping=version, local="last_name", remote="lastname")
    page.goto(url_of(desk, version))
    page.locator("[name=direction]").select_option("push")
    enter(page, page.locator(f"input[name={CONTINUE}]").first)
    assert live.state == MappingState.LIVE

    enter(page, reach(page, "Canary", "link"))
    box = page.locator("[name=keys]")
    box.focus()
    page.keyboard.type(f"django:{ada.pk}")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "1 record is tried" in text(page)
    enter(page, reach(page, "Try the version on them for real"))
    assert all(word in text(page) for word in ("1 updated", "lastname", "Lovelace", "leaves these records alone"))
    assert desk.hub.record("contacts", contact)["properties"]["lastname"] == "Lovelace"
    assert not desk.hub.record("contacts", Link.objects.get(local_pk=bob.pk).remote_id)["properties"].get("lastname")

    enter(page, reach(page, "Drop…", "link"))
    enter(page, reach(page, "Drop the canary"))
    assert "1 record was put back" in text(page)
    assert not desk.hub.record("contacts", contact)["properties"].get("lastname")
    assert not Canary.objects.exists()

    page.goto(url_of(desk, version, "canary"))
    enter(page, page.get_by_role("button", name="at random"))
    enter(page, reach(page, "Try the version on them for real"))
    enter(page, reach(page, "Promote…", "link"))
    assert "last_name ↔ lastname" in text(page)
    enter(page, reach(page, "Promote this version"))
    assert "is at revision" in text(page)
    assert not Mapping.objects.filter(version_of=live).exists()
    assert FieldMapping.objects.filter(mapping=live, remote="lastname").exists()
    ada.last_name = "King"
    ada.save()
    desk.work()
    assert desk.hub.record("contacts", contact)["properties"]["lastname"] == "King"

"""Who may open which page, and who may press which button."""

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories

MODELS = {
    "portal": factories.PortalFactory,
    "userlink": factories.UserLinkFactory,
    "mapping": factories.make_mapping,
    "fieldmapping": factories.FieldMappingFactory,
    "syncrule": factories.SyncRuleFactory,
    "link": factories.LinkFactory,
    "outboxentry": factories.OutboxEntryFactory,
    "inboxevent": factories.InboxEventFactory,
    "delivery": factories.DeliveryFactory,
    "cursor": factories.CursorFactory,
    "run": factories.RunFactory,
    "logentry": factories.LogEntryFactory,
    "conflict": factories.ConflictFactory,
    "remoteproperty": factories.RemotePropertyFactory,
    "remotepipeline": factories.RemotePipelineFactory,
    "edge": factories.make_edge,
}
READ_ONLY = [
    "link",
    "outboxentry",
    "inboxevent",
    "delivery",
    "cursor",
    "run",
    "logentry",
    "conflict",
    "remoteproperty",
    "remotepipeline",
    "edge",
]
BY_NAME = pytest.mark.parametrize("name", MODELS)
READ_ONLY_ONES = pytest.mark.parametrize("name", READ_ONLY)


@BY_NAME
def test_a_superuser_opens_list_and_object(boss, pages, name):
    row = MODELS[name]()
    assert boss.get(pages.list(name)).status_code == 200
    assert boss.get(pages.of(row)).status_code == 200


@BY_NAME
def test_staff_without_permission_are_refused(staff, pages, name):
    row = MODELS[name]()
    nobody = staff()
    assert nobody.get(pages.list(name)).status_code == 403
    assert nobody.get(pages.of(row)).status_code == 403


@BY_NAME
def test_strangers_are_sent_to_the_login(db, pages, name):
    row = MODELS[name]()
    for url in (pages.list(name), pages.of(row)):
        response = Client().get(url)
        assert response.status_code == 302
        assert "/login/" in response.url


@BY_NAME
def test_a_viewer_sees_but_cannot_change(staff, pages, name):
    row = MODELS[name]()
    viewer = staff(f"view_{name}")
    assert viewer.get(pages.list(name)).status_code == 200
    assert viewer.get(pages.of(row)).status_code == 200
    assert viewer.post(pages.of(row), {"label": "x"}).status_code == 403


@READ_ONLY_ONES
def test_nobody_adds_changes_or_deletes_what_the_sync_writes(boss, pages, name):
    row = MODELS[name]()
    assert boss.get(pages.add(name)).status_code == 403
    assert boss.post(pages.add(name), {}).status_code == 403
    assert boss.post(pages.of(row), {}).status_code == 403
    assert boss.post(reverse(f"admin:crmsync_{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("portal", "test_connection"),
        ("portal", "refresh_fields"),
        ("portal", "pause"),
        ("mapping", "set_live"),
        ("mapping", "pause"),
        ("mapping", "backfill_pull"),
        ("link", "sync_now"),
        ("link", "unlink"),
        ("outboxentry", "retry_now"),
        ("outboxentry", "skip"),
        ("inboxevent", "skip"),
        ("run", "stop"),
    ],
)
def test_an_action_needs_its_own_permission(staff, pages, name, action):
    row = MODELS[name]()
    assert pages.act(staff(f"view_{name}"), action, row).status_code == 403
    assert type(row).objects.get(pk=row.pk).state == row.state


def test_buttons_are_only_shown_to_those_who_may_press_them(staff, pages):
    mapping = factories.make_mapping()
    assert "Backfill" not in staff("view_mapping").get(pages.of(mapping)).content.decode()
    assert "Backfill" in staff("view_mapping", "operate_sync").get(pages.of(mapping)).content.decode()


def test_a_portal_is_added_only_by_those_who_may_connect(staff, pages):
    assert staff("add_portal", "view_portal").get(pages.add("portal")).status_code == 403
    assert staff("add_portal", "view_portal", "connect_portal").get(pages.add("portal")).status_code == 200


def test_those_who_may_connect_but_not_edit_see_no_inputs(staff, pages):
    portal = factories.PortalFactory()
    html = staff("view_portal", "connect_portal").get(pages.of(portal)).content.decode()
    assert "Test connection" in html
    assert 'name="new_token"' not in html


def test_a_viewer_of_a_mapping_sees_no_leftovers_of_inputs(staff, pages):
    html = (
        staff("view_mapping", "view_fieldmapping")
        .get(pages.of(factories.make_mapping(state="draft")))
        .content.decode()
    )
    assert "first_name ↔ firstname" in html
    assert "revision" in html
    assert "Seen revision" not in html
    assert "custom object" not in html


def test_the_preview_needs_the_permission_to_operate(staff):
    mapping = factories.make_mapping()
    url = reverse("admin:crmsync_mapping_preview", args=[mapping.pk])
    assert staff("view_mapping").get(url).status_code == 403
    assert staff("operate_sync").get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_no_action_works_by_get(boss, pages):
    mapping = factories.make_mapping()
    boss.get(pages.list("mapping"), {"action": "pause", "_selected_action": mapping.pk, "post": "yes"})
    mapping.refresh_from_db()
    assert mapping.state == "live"

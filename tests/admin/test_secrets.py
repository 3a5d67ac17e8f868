"""Secrets go in and never come out: no page, message or history holds them, and a lost key breaks no page."""

import logging

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry as History
from django.urls import reverse
from django.utils import timezone

from crmsync.ledger import credentials
from crmsync.models import Credential
from tests import factories
from tests.admin.test_permissions import MODELS

CANARY_TOKEN = "pat-na1-canary00-0000-4000-8000-0000canaryT"
CANARY_SECRET = "canary-client-secret-000000000000-S"


def _urls(pages, rows):
    for name, row in rows.items():
        yield pages.list(name)
        yield pages.of(row)
        yield reverse(f"admin:crmsync_{name}_history", args=[row.pk])
    for name in ("usage", "subscriptions", "checklist"):
        yield reverse(f"admin:crmsync_portal_{name}", args=[rows["portal"].pk])
    yield reverse("admin:crmsync_heartbeat_changelist")
    yield reverse("admin:crmsync_heartbeat_json")
    yield pages.add("portal")
    yield pages.add("mapping")
    yield pages.add("syncrule")
    yield reverse("admin:index")


@pytest.fixture
def rows() -> dict:
    return {name: make() for name, make in MODELS.items()}


def test_no_page_holds_a_secret(boss, pages, rows):
    for credential in Credential.objects.all():
        credential.token = credential.refresh_token = CANARY_TOKEN
        credential.client_secret = credential.previous_secret = CANARY_SECRET
        credential.previous_until = timezone.now() + timezone.timedelta(hours=1)
        credential.save()
    for url in _urls(pages, rows):
        html = boss.get(url, follow=True).content.decode()
        assert CANARY_TOKEN not in html, url
        assert CANARY_SECRET not in html, url
        assert CANARY_TOKEN[:-4] not in html, url


def test_a_form_with_errors_does_not_give_the_secret_back(boss, pages, caplog):
    caplog.set_level(logging.DEBUG)
    data = {"label": "", "kind": "static", "new_token": CANARY_TOKEN, "new_client_secret": CANARY_SECRET}
    html = boss.post(pages.add("portal"), data).content.decode()
    assert CANARY_TOKEN not in html
    assert CANARY_SECRET not in html
    assert CANARY_TOKEN not in caplog.text


def test_neither_messages_nor_history_hold_the_secret(boss, pages, hubspot, caplog):
    caplog.set_level(logging.DEBUG)
    hubspot.add_token(CANARY_TOKEN)
    portal = factories.PortalFactory(hub_id=4242)
    data = pages.fill(boss.get(pages.of(portal)), new_token=CANARY_TOKEN, new_client_secret=CANARY_SECRET)
    response = boss.post(pages.of(portal), data, follow=True)
    assert Credential.objects.get().token == CANARY_TOKEN
    assert CANARY_TOKEN not in response.content.decode()
    assert all(CANARY_TOKEN not in f"{one.change_message}{one.object_repr}" for one in History.objects.all())
    assert CANARY_TOKEN not in caplog.text


def test_the_page_tells_the_end_of_what_is_stored(boss, pages):
    portal = factories.PortalFactory()
    html = boss.get(pages.of(portal)).content.decode()
    assert f"ends in …{factories.TOKEN[-4:]}" in html
    assert f"ends in …{factories.CLIENT_SECRET[-4:]}" in html


def test_a_short_secret_is_not_given_away_by_its_end(boss, pages):
    portal = factories.PortalFactory(credential__client_secret="short7654")
    assert "7654" not in boss.get(pages.of(portal)).content.decode()


@pytest.fixture
def lost_key(settings):
    """Secrets stored under a key that is gone."""
    fields = [Credential._meta.get_field(name) for name in credentials.SECRETS]

    def use(key: str) -> None:
        settings.FERNET_KEYS = [key]
        for field in fields:
            for name in ("keys", "fernet_keys", "fernet"):
                field.__dict__.pop(name, None)

    before = settings.FERNET_KEYS[0]
    yield use
    use(before)


def test_a_lost_key_breaks_no_page(boss, pages, rows, lost_key):
    lost_key("another-key")
    for url in _urls(pages, rows):
        assert boss.get(url).status_code in (200, 302), url


def test_a_lost_key_is_told_beside_the_input(boss, pages, lost_key):
    portal = factories.PortalFactory()
    lost_key("another-key")
    assert boss.get(pages.of(portal)).content.decode().count("re-enter the secret") == 2


def test_with_a_lost_key_the_secret_can_be_entered_again(boss, pages, hubspot, lost_key):
    portal = factories.PortalFactory(hub_id=4242)
    lost_key("another-key")
    data = pages.fill(boss.get(pages.of(portal)), new_token=factories.TOKEN)
    assert boss.post(pages.of(portal), data).status_code == 302
    assert Credential.objects.values_list("token", flat=True).get() == factories.TOKEN


def test_with_a_lost_key_buttons_and_previews_say_so(boss, pages, lost_key):
    """C24: what cannot be read is named, with the remedy."""
    portal = factories.PortalFactory()
    mapping = factories.make_mapping()
    lost_key("another-key")
    for action in ("test_connection", "refresh_fields"):
        response = pages.act(boss, action, portal)
        assert "cannot be decrypted" in " ".join(str(one) for one in response.context["messages"]), action
    preview = reverse("admin:crmsync_mapping_preview", args=[mapping.pk])
    assert "cannot be decrypted" in boss.get(preview).content.decode()


# Shown on the pages of others, or never shown at all.
PARTS = {
    *("rateslot", "credential", "apiusage", "tick", "heartbeat", "reader", "slip", "canary", "canaryrecord"),
    *("matchkey", "valuemapentry", "rulecondition", "fixedvalue", "association", "mappingstep", "acceptedproof"),
    *("remoteobjecttype", "remotelabel", "remoterule"),
}


def test_all_our_models_with_pages_are_covered():
    shown = {model._meta.model_name for model in apps.get_app_config("crmsync").get_models()}
    assert set(MODELS) == shown - PARTS

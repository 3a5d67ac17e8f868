"""People who use the admin, a HubSpot that answers without a network, and forms filled in as a browser would."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.fakehub import hub
from crmsync.flows import meter
from crmsync.sides import remote
from crmsync.testing import fakehub
from tests import factories


@pytest.fixture(autouse=True)
def _unpaced(settings) -> None:
    settings.CRMSYNC = {**settings.CRMSYNC, "BURST_PER_10_SECONDS": 0, "API_URL": "https://api.hubapi.com"}


@pytest.fixture
def boss(db) -> Client:
    """A superuser."""
    return _client(factories.UserFactory(is_superuser=True))


@pytest.fixture
def staff(db) -> Callable[..., Client]:
    """Staff with these permissions of crmsync only."""
    return lambda *permissions: _client(factories.UserFactory(permissions=permissions))


def _client(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def hubspot() -> Iterator[hub.FakeHub]:
    """A HubSpot account that knows ``factories.TOKEN`` and is reached through requests."""
    account = hub.FakeHub(seed=1, limits_on=False)
    account.add_token(factories.TOKEN)
    remote._clients.clear()
    meter._books.clear()
    with fakehub.connected(account):
        yield account
    remote._clients.clear()
    meter._books.clear()


class Pages:
    """The admin's addresses, and what a browser would send back from a form."""

    def list(self, name: str) -> str:
        return reverse(f"admin:crmsync_{name}_changelist")

    def add(self, name: str) -> str:
        return reverse(f"admin:crmsync_{name}_add")

    def of(self, row) -> str:
        return reverse(f"admin:crmsync_{row._meta.model_name}_change", args=[row.pk])

    def fill(self, response, **values: object) -> dict[str, object]:
        """The form as it was shown, with some inputs changed (None takes one away)."""
        forms = [response.context["adminform"].form]
        for inline in response.context["inline_admin_formsets"]:
            forms += [inline.formset.management_form, *inline.formset.forms]
        data = {}
        for form in forms:
            for field in form:
                value = field.value()
                if value is not None and value is not False:
                    data[field.html_name] = "on" if value is True else value
        data |= values
        return {name: value for name, value in data.items() if value is not None}

    def at(self, name: str, *args: object) -> str:
        """One of our further pages."""
        return reverse(f"admin:crmsync_{name}", args=args)

    def act(self, client: Client, action: str, *rows, sure: bool = True, tool: bool = False, **more: str):
        """Press an action for rows; ``sure`` answers its question with yes."""
        data = {**more, "action": action, "_selected_action": [row.pk for row in rows], "select_across": "0"}
        data |= {"post": "yes"} if sure else {"index": "0"}
        data |= {"_tool": "1"} if tool else {}
        return client.post(self.list(rows[0]._meta.model_name), data, follow=True)


@pytest.fixture
def pages() -> Pages:
    return Pages()


def said(response) -> str:
    """All messages on a page, as one text."""
    return " ".join(str(message) for message in response.context["messages"])

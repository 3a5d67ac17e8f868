"""A real browser on a real server, and a fakehub with its own consent page: what staff see, and nothing else.

Skipped where there is no Chromium; ``.ci/run`` installs one.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.conf import settings as django_settings
from django.test import testcases

from crmsync import jobs
from crmsync.fakehub import server
from crmsync.fakehub.hub import FakeHub
from crmsync.flows import meter
from crmsync.sides import remote
from tests import factories

# The driver keeps a loop running in this thread for as long as the browser lives, which Django would refuse.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
PASSWORD = "a long enough password"
APP, APP_SECRET = "browser-client-id", "browser-client-secret-0001"
SCOPES = tuple(
    f"crm.{family}.{kind}.{way}"
    for family in ("objects", "schemas")
    for kind in ("contacts", "companies", "deals")
    for way in ("read", "write")
)

# The roles of experience.md, as permissions of crmsync.
ROLES = {
    "viewer": ["view_portal", "view_mapping"],
    "operator": ["view_portal", "view_mapping", "operate_sync"],
    "mapper": [
        *("view_portal", "change_portal", "connect_portal", "operate_sync", "approve_mapping", "view_payload"),
        *(
            f"{way}_{name}"
            for name in ("mapping", "fieldmapping", "matchkey", "valuemapentry", "fixedvalue")
            for way in ("view", "add", "change", "delete")
        ),
        *(
            f"{way}_{name}"
            for name in ("association", "syncrule", "rulecondition")
            for way in ("view", "add", "change")
        ),
        *("view_logentry", "view_conflict"),
    ],
    "administrator": [
        *("view_portal", "add_portal", "change_portal", "delete_portal", "connect_portal", "unlock_portal"),
        *("view_mapping", "change_mapping", "operate_sync", "view_heartbeat"),
    ],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    with playwright.sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def served() -> Iterator[server.Server]:
    """A fakehub that answers over HTTP."""
    remote._clients.clear()
    meter._books.clear()
    one = server.Server(("127.0.0.1", 0), FakeHub(seed=5, limits_on=True))
    thread = threading.Thread(target=one.run)
    thread.start()
    yield one
    one.stop()
    thread.join(5)


@dataclass
class Desk:
    """What a member of staff has before them: the site, HubSpot, and a browser."""

    url: str
    hub: FakeHub
    open_page: Callable[..., object]

    def log_in(self, role: str = "administrator", *, javascript: bool = True, **options: object):
        """A page of somebody in a role, logged in."""
        user = factories.UserFactory(permissions=ROLES[role])
        user.set_password(PASSWORD)
        user.save()
        page = self.open_page(java_script_enabled=javascript, **options)
        page.goto(f"{self.url}/admin/login/?next=/admin/")
        page.fill("#id_username", user.username)
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        return page

    def add_app(self, **facts: object) -> None:
        """The OAuth app in HubSpot, as an administrator there has set it up."""
        facts = {"scopes": ["oauth"], "optional_scopes": [*SCOPES, "crm.objects.owners.read"]} | facts
        callback = f"{self.url}/crmsync/oauth/callback/"
        self.hub.add_app(APP, client_secret=APP_SECRET, redirect_uris=[callback], **facts)

    def work(self) -> None:
        """What the workers do meanwhile."""
        jobs.work(20.0)


@pytest.fixture
def desk(live_server, served, chromium, settings, monkeypatch) -> Iterator[Desk]:
    # A connection kept alive keeps its thread, and the thread its database session, beyond the last test.
    monkeypatch.setattr(testcases.QuietWSGIRequestHandler, "protocol_version", "HTTP/1.0")
    settings.CRMSYNC = {
        **django_settings.CRMSYNC,
        "API_URL": served.url,
        "AUTHORIZE_URL": f"{served.url}/oauth/authorize",
        "PUBLIC_URL": live_server.url,
        "RUNNER": "database",
    }
    contexts: list = []

    def open_page(**options: object):
        contexts.append(chromium.new_context(locale="en-GB", **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        return page

    yield Desk(live_server.url, served.hub, open_page)
    for context in contexts:
        context.close()

"""Canary secrets are planted, used and refused; then everything that anybody may read is searched for them (I19)."""

import io
import json
import logging
import os

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crmsync import jobs
from crmsync.flows import connect, diagnose, discover
from crmsync.ledger import credentials
from crmsync.models import Credential, OutboxEntry
from project.demo.models import Person
from tests import factories

TOKEN = "pat-na1-canary-0000-4000-8000-aaaaaaaaaaaa"
SECRET = "canary-client-secret-bbbbbbbbbbbb"
OLD_SECRET = "canary-former-secret-cccccccccccc"
REFRESH = "canary-refresh-token-dddddddddddd"
CANARIES = (TOKEN, SECRET, OLD_SECRET, REFRESH)


@pytest.fixture
def planted(sync, caplog):
    """A portal that works with canaries, after a good day, a refused call and a wrong key of HubSpot's."""
    caplog.set_level(logging.DEBUG)
    sync.hub.add_token(TOKEN)
    connect.connect(sync.portal, credentials.Entered("static", token=TOKEN, client_secret=OLD_SECRET))
    connect.connect(sync.portal, credentials.Entered("static", token=TOKEN, client_secret=SECRET))
    Credential.objects.update(refresh_token=REFRESH)
    discover.discover(sync.portal)
    Person.objects.create(email="canary@example.com")
    sync.drain()
    sync.hub.plant_fault("status", status=500, times=1)
    sync.hub.plant_fault("status", status=401, times=None)
    Person.objects.create(email="canary2@example.com")
    OutboxEntry.objects.update(due_at=timezone.now())
    sync.drain()
    with pytest.raises(connect.ConnectError):
        connect.test(sync.portal)
    sync.hub.faults.clear()
    return sync


def search(text: str, where: str) -> None:
    for canary in CANARIES:
        assert canary not in text, where
        assert canary[8:] not in text, where


def test_logs(planted, caplog) -> None:
    """Messages and the facts beside them."""
    search(caplog.text, "log")
    search(json.dumps([vars(record) for record in caplog.records], default=repr), "log records")


def test_dumps(planted) -> None:
    """``dumpdata`` and the bytes of every table."""
    out = io.StringIO()
    call_command("dumpdata", "crmsync", stdout=out)
    search(out.getvalue(), "dumpdata")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            if table.startswith("crmsync_"):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                for row in cursor.fetchall():
                    for value in row:
                        shown = bytes(value) if isinstance(value, bytes | memoryview) else value
                        search(repr(shown), table)


def test_pages_and_the_bundle(planted) -> None:
    """Every page of ours, and what support gets."""
    client = Client()
    client.force_login(factories.UserFactory(is_superuser=True))
    portal = planted.portal.pk
    urls = [
        reverse("admin:crmsync_portal_changelist"),
        reverse("admin:crmsync_portal_change", args=[portal]),
        reverse("admin:crmsync_portal_history", args=[portal]),
        reverse("admin:crmsync_heartbeat_changelist"),
        reverse("admin:crmsync_outboxentry_changelist"),
        reverse("admin:crmsync_logentry_changelist"),
        reverse("admin:crmsync_mapping_changelist"),
    ]
    for url in urls:
        search(client.get(url).content.decode(), url)
    search(json.dumps(diagnose.report()), "bundle")
    search(diagnose.as_text(diagnose.report()), "bundle as text")


def test_what_an_error_report_prints(planted) -> None:
    """The variables of every frame of ours and of the client, as a reporter would print them."""
    planted.hub.plant_fault("status", status=500, times=None)
    try:
        discover.discover(planted.portal)
    except discover.DiscoveryError as error:
        seen, found = [], error
        while found is not None:
            trace = found.__traceback__
            while trace is not None:
                path = trace.tb_frame.f_code.co_filename
                if "crmsync" in path and "tests" not in path:
                    seen.append(repr(trace.tb_frame.f_locals))
                trace = trace.tb_next
            found = found.__cause__
        assert seen
        search("\n".join(seen), "frames")


@pytest.mark.skipif(not django_settings.RQ_QUEUES, reason="REDIS_URL names no Redis")
def test_redis(planted, settings) -> None:
    """Jobs carry nothing: every key and value of the queue's database is read."""
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq"}
    Person.objects.create(email="canary3@example.com")
    jobs.ring()
    queue = jobs._queue("crmsync", os.getpid())
    redis = queue.connection
    for key in redis.scan_iter(count=1000):
        raw = redis.dump(key) or b""
        kind = redis.type(key)
        shown = repr(redis.hgetall(key)) if kind == b"hash" else ""
        search(repr(key) + repr(raw) + shown, "redis")
        assert b"canary3@example.com" not in raw
    queue.empty()
    jobs._answer()

"""The commands that connect, discover and rotate keys: what they print, refuse and leave behind."""

import io
import json
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from fernet_fields import DecryptionError

from crmsync import jobs
from crmsync.ledger import credentials
from crmsync.models import ApiUsage, Credential, Portal, RemoteProperty

SECRET = "command-tests-client-secret"


def run(command: str, *args: str) -> tuple[str, str]:
    """What the command wrote to standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(command, *args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def type_in(monkeypatch):
    """Put lines on standard input."""
    return lambda *lines: monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))


# --- crmsync_connect --------------------------------------------------------------------------------------------


def test_connect_reports_both_steps(hub, db, type_in) -> None:
    """C12, C13: connected, fields read, account, tier and scopes told; progress is on standard error."""
    hub.set_limits(enabled=True, tier="enterprise")
    type_in(hub.token, SECRET)
    out, err = run("crmsync_connect", "Main", "--stdin")
    portal = Portal.objects.get()
    assert (portal.state, portal.hub_id) == ("connected", hub.portal.id)
    assert RemoteProperty.objects.filter(portal=portal, name="email").exists()
    assert f"HubSpot account {hub.portal.id}" in out
    assert "It is connected." in out
    assert "Tier: Enterprise" in out
    assert "crm.objects.contacts.read" in out
    assert "Fields read:" in out
    assert "Trying the token" in err
    assert hub.token not in out + err
    assert SECRET not in out + err
    assert ApiUsage.objects.filter(portal=portal).exists()


def test_connect_as_json(hub, db, type_in) -> None:
    """C12: both steps, and nothing but JSON on standard output."""
    type_in(hub.token)
    facts = json.loads(run("crmsync_connect", "Main", "--stdin", "--json")[0])
    assert (facts["state"], facts["hub_id"], facts["discovery"]["problem"]) == ("connected", hub.portal.id, "")
    assert facts["discovery"]["added"] == RemoteProperty.objects.count() > 0
    assert facts["are_scopes_known"]


def test_fields_that_cannot_be_read_are_told(hub, db, type_in) -> None:
    """C12: the first step holds, the second says why not, and the exit code says so, too."""
    hub.plant_fault("status", status=500, times=None, path="/crm")
    hub.plant_fault("status", status=500, times=None, path="/crm-object-schemas")
    type_in(hub.token)
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"Connected, but the fields could not be read: .*server error"):
        call_command("crmsync_connect", "Main", "--stdin", "--json", stdout=out, stderr=io.StringIO())
    facts = json.loads(out.getvalue())
    assert (facts["state"], Portal.objects.get().state) == ("connected", "connected")
    assert "server error" in facts["discovery"]["problem"]


def test_fields_are_left_alone_when_told_so(hub, db, type_in) -> None:
    """C12: connecting alone."""
    type_in(hub.token)
    facts = json.loads(run("crmsync_connect", "Main", "--stdin", "--json", "--no-discover")[0])
    assert facts["discovery"] is None
    assert not RemoteProperty.objects.exists()


def test_the_kind_is_stored_and_kept(hub, db, type_in) -> None:
    """C8: a service key stays one when its token is replaced."""
    for args in (["--kind", "service-key"], []):
        type_in(hub.token)
        run("crmsync_connect", "Main", "--stdin", "--no-discover", *args)
        assert Credential.objects.get().kind == "service_key"
    type_in(hub.token)
    run("crmsync_connect", "Main", "--stdin", "--no-discover", "--kind", "static")
    assert Credential.objects.get().kind == "static"


def test_oauth_needs_a_browser(hub, db, type_in) -> None:
    """C9: neither a new OAuth portal nor one that exists is touched; a token may take its place when named."""
    type_in(hub.token)
    with pytest.raises(CommandError, match="needs a browser"):
        run("crmsync_connect", "Main", "--stdin", "--kind", "oauth")
    assert not Portal.objects.exists()
    portal = Portal.objects.create(label="Main")
    Credential.objects.create(portal=portal, kind="oauth", token="an-access-token-of-oauth")
    with pytest.raises(CommandError, match="--kind static"):
        run("crmsync_connect", "Main", "--stdin")
    assert Credential.objects.get().token == "an-access-token-of-oauth"
    run("crmsync_connect", "Main", "--stdin", "--kind", "static", "--no-discover")
    assert (Credential.objects.get().kind, Portal.objects.get().state) == ("static", "connected")


def test_testing_what_is_stored(sync) -> None:
    """C13: a real call, and account, tier and scopes as they are now; no field is read."""
    sync.hub.set_limits(enabled=True, tier="professional")
    before = sync.hub.ledger.last_seq
    facts = json.loads(run("crmsync_connect", "Flows", "--test", "--json")[0])
    assert (facts["account_type"], facts["tier"], facts["discovery"]) == ("STANDARD", "professional", None)
    assert "crm.objects.contacts.read" in facts["scopes"]
    assert 0 < sync.hub.ledger.last_seq - before < 5


def test_a_refused_test_says_why(sync) -> None:
    """C13: one sentence with the remedy; a portal that is not there is named."""
    sync.hub.revoke(token=sync.hub.token)
    with pytest.raises(CommandError, match="token"):
        run("crmsync_connect", "Flows", "--test")
    with pytest.raises(CommandError, match="no portal 'Other'"):
        run("crmsync_connect", "Other", "--test")


# --- crmsync_discover -------------------------------------------------------------------------------------------


def test_discover_lists_what_is_new(sync) -> None:
    """C17: counts, and with -v 2 each thing by name; nothing new says so in zeros."""
    run("crmsync_discover", "Flows")
    sync.hub.add_property("contacts", "shoe_size", "number", "number", label="Shoe size")
    sync.hub.add_owner("9001", "new@example.com")
    out, err = run("crmsync_discover", "Flows", "-v", "2")
    lines = out.splitlines()
    assert "contacts: 1 added, 0 changed, 0 removed" in lines
    assert "added property contacts shoe_size" in lines
    assert "owners: 1 new" in lines
    assert "Reading the fields" in err
    out, err = run("crmsync_discover", "Flows", "-v", "0")
    assert ("contacts: 0 added, 0 changed, 0 removed" in out.splitlines(), err) == (True, "")
    report = json.loads(run("crmsync_discover", "Flows", "--json")[0])
    assert report["properties"]["contacts"] == {"added": [], "changed": [], "removed": []}


def test_discover_names_what_a_scope_hides(sync) -> None:
    """C14, C17: on standard error, and the rest is read."""
    sync.hub.change_scopes(token=sync.hub.token, remove=["crm.objects.owners.read"])
    _, err = run("crmsync_discover", "Flows")
    assert "owners could not be read: the token lacks crm.objects.owners.read" in err


def test_discover_names_cause_and_remedy(sync) -> None:
    with pytest.raises(CommandError, match="crmsync_connect"):
        run("crmsync_discover", "Other")
    sync.hub.plant_fault("status", status=401, times=None)
    with pytest.raises(CommandError, match="token"):
        run("crmsync_discover", "Flows")


# --- crmsync_rotate_keys ----------------------------------------------------------------------------------------


@pytest.fixture
def use_keys(settings) -> Iterator[Callable[..., None]]:
    """FERNET_KEYS for the rest of a test. A process reads its keys once: what it remembers of them is forgotten."""
    before = settings.FERNET_KEYS

    def use(*keys: str) -> None:
        settings.FERNET_KEYS = list(keys)
        credentials._decrypted.cache_clear()
        for name in credentials.SECRETS:
            for cached in ("keys", "fernet_keys", "fernet"):
                vars(Credential._meta.get_field(name)).pop(cached, None)

    yield use
    use(*before)


def secrets() -> list[tuple[str, ...]]:
    return [tuple(getattr(one, name) for name in credentials.SECRETS) for one in Credential.objects.order_by("pk")]


def stored() -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM crmsync_credential ORDER BY id")
        return [bytes(row[0]) for row in cursor.fetchall()]


@pytest.fixture
def two(db, settings) -> list[tuple[str, ...]]:
    """Two portals with all four secrets; what they are."""
    for number in (1, 2):
        portal = Portal.objects.create(label=f"Portal {number}")
        Credential.objects.create(portal=portal, **{name: f"{name}-{number}" for name in credentials.SECRETS})
    return secrets()


def test_rotating_keys(two, settings, use_keys) -> None:
    """Fault 50, P5: all secrets of all portals are readable with the new key alone, and the old one opens none."""
    old = list(settings.FERNET_KEYS)
    before = stored()
    use_keys("a-new-key", *old)
    out, err = run("crmsync_rotate_keys")
    assert out == "2 credentials rewritten, 0 unreadable.\n"
    assert not set(stored()) & set(before)
    use_keys("a-new-key")
    assert secrets() == two
    use_keys(*old)
    with pytest.raises(DecryptionError):
        secrets()
    assert not any(secret in out + err for row in two for secret in row)


def test_an_unreadable_secret_is_left_alone(two, use_keys, settings) -> None:
    """Fault 50: counted, told with the remedy, exit code 1; the others are rewritten and nothing is lost."""
    first = Credential.objects.order_by("pk").values_list("pk", flat=True)[0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE crmsync_credential SET token = %s WHERE id = %s", [b"gAAAAA-other", first])
    use_keys("a-new-key", *settings.FERNET_KEYS)
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("crmsync_rotate_keys", "--json", stdout=out, stderr=err)
    assert stop.value.code == 1
    assert json.loads(out.getvalue()) == {"rewritten": 1, "unreadable": 1}
    assert "put that key back" in err.getvalue()
    assert stored()[0] == b"gAAAAA-other"


# --- The doctor's question to Redis -----------------------------------------------------------------------------


def test_a_redis_that_nobody_can_reach(settings) -> None:
    """Fault 5: whatever is wrong with it, the doctor goes on."""
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq", "QUEUE": "no_such_queue"}
    assert not jobs.is_answering()


@pytest.mark.skipif(not django_settings.RQ_QUEUES, reason="REDIS_URL names no Redis")
def test_a_redis_that_answers(settings) -> None:
    """J16: asked with a real call."""
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq"}
    assert jobs.is_answering()

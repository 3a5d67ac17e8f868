"""One refresh for many workers, and none that is lost with a killed one: real processes, real HTTP.

Workers are scripts of their own on one database file; the fakehub's ledger counts what they asked for.
"""

import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import places

ROOT = Path(__file__).resolve().parents[2]
CALLBACK = "http://127.0.0.1:9/crmsync/oauth/callback/"
APP = {"client_id": "refresh-tests", "client_secret": "refresh-tests-secret"}
SETUP = """
import os, signal, sys
import django
django.setup()
from datetime import timedelta
from django.utils import timezone
from crmsync.flows import access, consent
from crmsync.ledger import credentials
from crmsync.models import Credential, Portal
"""
ADD = """
portal = Portal.objects.create(label="Refresh")
entered = credentials.Entered("oauth", client_id=sys.argv[1], client_secret=sys.argv[2])
credentials.enter(portal, entered, timezone.now(), timedelta(0))
print(consent.address(portal, sys.argv[3], "s" * 30))
"""
FINISH = "consent.finish(Portal.objects.get(), sys.argv[1], sys.argv[2])"
END = "Credential.objects.update(expires_at=timezone.now())"
USE = "print(access.token_of(Portal.objects.get().pk)[-16:])"
DIE = """
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
credentials.store_refreshed = die
"""
# Whoever held the lease is dead: it need not be waited for in a test.
REVIVE = "Credential.objects.update(leased_until=timezone.now())"


@dataclass(frozen=True)
class Site:
    """A database and a HubSpot, and how to run a piece of a worker on them."""

    hub: str
    env: dict[str, str]

    def spawn(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", SETUP + script, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(argv, cwd=ROOT, env=self.env, text=True, **pipes)

    def run(self, script: str, *arguments: str) -> str:
        process = self.spawn(script, *arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out.strip()

    def control(self, call: str, **body: object) -> dict:
        return json.loads(self.send(f"/_fakehub/{call}", json.dumps(body).encode() if body else None).read())

    def send(self, path: str, body: bytes | None = None):
        opener = urllib.request.build_opener(_Stay)
        return opener.open(f"{self.hub}{path}", body, timeout=20)

    def refreshes(self) -> int:
        rows = self.control("ledger?kind=request&limit=10000")["rows"]
        return sum(row["path"].endswith("/token") and "refresh_token" in row["body"] for row in rows)


class _Stay(urllib.request.HTTPRedirectHandler):
    """A browser's way back to us leads nowhere here: its address is all we want."""

    def http_error_302(self, req, fp, code, msg, headers):
        return fp


@pytest.fixture
def site(database: Path) -> Iterator[Site]:
    """An OAuth portal that is connected, with an access token that has just ended."""
    with places.open_hub() as hub:
        env = {**os.environ, **places.make_env(f"sqlite:///{database}", hub), "CRMSYNC_OPT_READ_TIMEOUT": "10"}
        site = Site(hub, env)
        scopes = ["oauth", "crm.objects.owners.read"]
        for family in ("objects", "schemas"):
            kinds = ("contacts", "companies", "deals")
            scopes += [f"crm.{family}.{kind}.{way}" for kind in kinds for way in ("read", "write")]
        site.control("apps", **APP, redirect_uris=[CALLBACK], scopes=["oauth"], optional_scopes=scopes)
        address = site.run(ADD, APP["client_id"], APP["client_secret"], CALLBACK)
        site.run(f"{FINISH}\n{END}", consent(site, address), CALLBACK)
        yield site


def consent(site: Site, address: str) -> str:
    """What a person does on the consent page; the code that is sent back."""
    page = site.send(f"/oauth/authorize?{urllib.parse.urlsplit(address).query}").read().decode()
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    fields |= {"decision": "connect", "hub_id": re.findall(r'name="hub_id"[^>]* value="(\d+)"', page)[0]}
    body = {name: value.replace("&amp;", "&") for name, value in fields.items()}
    back = site.send("/oauth/authorize", urllib.parse.urlencode(body).encode())
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back.headers["Location"]).query))["code"]


@pytest.mark.processes
def test_workers_that_refresh_at_once_make_one_refresh(site: Site) -> None:
    """Fault 25: HubSpot answers slowly and kills the old refresh token; all four work with the same new one."""
    site.control("oauth", rotate=True)
    site.control("faults", kind="slow", delay=1.5, operation="oauth.token")
    before = site.refreshes()
    workers = [site.spawn(USE) for _ in range(4)]
    ends = [worker.communicate(timeout=60) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4, ends
    assert len({out for out, _ in ends}) == 1
    assert site.refreshes() == before + 1


@pytest.mark.processes
@pytest.mark.parametrize("rules", [{"rotate": False}, {"rotate": True, "refresh_grace": True}], ids=str)
def test_a_worker_killed_with_the_answer_in_its_hands_loses_nothing(site: Site, rules: dict[str, bool]) -> None:
    """Fault 25: the next worker refreshes with what is stored, and the connection lives on."""
    site.control("oauth", **rules)
    killed = site.spawn(DIE + USE)
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    site.run(REVIVE)
    assert site.run(USE)
    assert site.run("print(Portal.objects.get().state)") == "connected"

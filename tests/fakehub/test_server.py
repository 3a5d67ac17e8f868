"""The portal over HTTP."""

import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from crmsync.fakehub import hub, server

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def served():
    one = server.Server(("127.0.0.1", 0), hub.FakeHub(limits_on=False))
    thread = threading.Thread(target=one.run)
    thread.start()
    yield one
    one.stop()
    thread.join(5)


@pytest.fixture
def caller(served):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {served.hub.token}"
        yield session


@pytest.fixture
def hook():
    """A web server that keeps the bodies posted to it; ``statuses`` are answered first, then 204."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            catcher.requests.append((self.path, dict(self.headers), body))
            self.send_response(catcher.statuses.pop(0) if catcher.statuses else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as catcher:
        catcher.requests, catcher.statuses = [], []
        thread = threading.Thread(target=catcher.serve_forever, args=(0.05,))
        thread.start()
        yield catcher
        catcher.shutdown()
        thread.join(5)


def wait_for(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.01)


def test_requests_share_a_connection(served, caller):
    made = caller.post(f"{served.url}/crm/objects/2026-09/contacts", json={"properties": {"firstname": "Ångström"}})
    assert (made.status_code, made.json()["properties"]["firstname"]) == (201, "Ångström")
    found = caller.get(f"{served.url}/crm/objects/2026-09/contacts", params={"limit": 5})
    assert found.json()["results"][0]["id"] == made.json()["id"]
    assert found.headers["Date"].count("GMT") == 1
    assert "GMT" in caller.get(f"{served.url}/_fakehub/counters").headers["Date"]
    gone = caller.delete(f"{served.url}/crm/objects/2026-09/contacts/{made.json()['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert len(served.hub.ledger.requests()) == 3


def test_chunked_bodies_and_old_clients(served):
    body = b'{"properties":{"firstname":"A"}}'
    head = f"POST /crm/objects/2026-09/contacts HTTP/1.0\r\nAuthorization: Bearer {served.hub.token}\r\n"
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    with socket.create_connection(served.server_address) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nbroken\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_nonsense_ends_the_connection(served, sent):
    with socket.create_connection(served.server_address) as connection:
        connection.sendall(sent)
        assert connection.makefile("rb").read() == b""


def test_faults_are_felt_like_those_of_a_network(served, caller):
    url = f"{served.url}/crm/objects/2026-09/contacts"
    served.hub.plant_fault("reset", after=True)
    with pytest.raises(requests.exceptions.ConnectionError):
        caller.post(url, json={"properties": {"firstname": "A"}})
    assert len(served.hub.records("contacts")) == 1
    served.hub.plant_fault("timeout", delay=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        caller.get(url, timeout=0.2)
    served.hub.plant_fault("slow", delay=0.3)
    started = time.monotonic()
    assert caller.get(url).status_code == 200
    assert time.monotonic() - started >= 0.3
    served.hub.plant_fault("truncated")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        caller.get(url).json()


def test_a_sleeping_answer_keeps_nobody_else_waiting_and_is_in_the_ledger_at_once(served, caller):
    served.hub.plant_fault("timeout", after=True, delay=5)
    url = f"{served.url}/crm/objects/2026-09/contacts"
    body = json.dumps({"properties": {"firstname": "A"}})
    head = f"POST {url} HTTP/1.1\r\nAuthorization: Bearer {served.hub.token}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(served.server_address) as connection:
        connection.sendall(head.replace(served.url, "").encode() + body.encode())
        wait_for(served.hub.ledger.writes)
        assert caller.get(url).status_code == 200


def test_webhooks_are_sent_signed_in_the_background(served, hook):
    target = f"http://127.0.0.1:{hook.server_port}/webhook?portal=1"
    hook.statuses += [500]
    served.hub.set_webhooks(target=target, secret="s", window=0.05, spacing=0.01)
    for number in range(250):
        served.hub.ui_create("companies", {"name": str(number)})
    wait_for(lambda: len(served.hub.ledger.deliveries()) > 1 and not served.hub.webhooks.backlog)
    bodies = [json.loads(body) for _, _, body in hook.requests]
    arrived = {event["eventId"] for events in bodies[1:] for event in events}
    assert len(arrived) == 500
    assert max(len(events) for events in bodies) <= 100
    path, headers, _ = hook.requests[0]
    assert path == "/webhook?portal=1"
    assert headers["X-HubSpot-Signature-v3"]
    assert [row.status for row in served.hub.ledger.deliveries()].count(500) == 1


def test_a_webhook_target_that_is_down_is_tried_again(served):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        served.hub.set_webhooks(target=f"http://127.0.0.1:{closed.getsockname()[1]}/", window=0.01, spacing=0.01)
        served.hub.ui_create("companies", {})
        wait_for(lambda: len(served.hub.ledger.deliveries()) >= 3)
    assert {row.status for row in served.hub.ledger.deliveries()} == {0}


def test_other_hosts_are_refused(capsys):
    assert server.main(["--host", "0.0.0.0"]) == 2
    assert "no loopback address" in capsys.readouterr().err
    assert server.main(["--host", "example.com"]) == 2


@contextlib.contextmanager
def running(*options):
    command = [sys.executable, "-m", "crmsync.fakehub", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        line = process.stdout.readline()
        yield process, re.fullmatch(r"fakehub ready (http://127\.0\.0\.1:\d+)\n", line)[1]
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.mark.processes
def test_the_process_ends_on_sigterm():
    with running("--seed", "7", "--search-lag", "2", "--no-limits") as (process, url):
        assert requests.get(f"{url}/_fakehub/counters", timeout=5).json()["writes"] == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def create_contacts_for_ever(url, made):
    """Batches of twenty, their ids into ``made``, until the portal is gone."""
    auth = {"Authorization": f"Bearer {hub.FakeHub.token}"}
    for number in itertools.count():
        inputs = [{"properties": {"email": f"u{number}.{one}@lovelace.dev"}} for one in range(20)]
        path = f"{url}/crm/objects/2026-09/contacts/batch/create"
        answer = requests.post(path, json={"inputs": inputs}, headers=auth, timeout=30)
        made += [one["id"] for one in answer.json()["results"]]


def all_ids(url):
    after = "0"
    while after:
        page = requests.get(f"{url}/_fakehub/state/contacts?limit=10000&after={after}", timeout=30).json()
        yield from (one["id"] for one in page["results"])
        after = page.get("after")


@pytest.mark.processes
def test_the_state_survives_a_kill(tmp_path):
    state, made = str(tmp_path / "portal.jsonl"), []
    options = ("--no-limits", "--state", state, "--webhook-url", "http://127.0.0.1:9/")
    with running(*options) as (process, url):
        threading.Timer(0.5, process.kill).start()
        with pytest.raises(requests.exceptions.RequestException):
            create_contacts_for_ever(url, made)
    with running("--state", state) as (_, url):
        found = set(all_ids(url))
        counters = requests.get(f"{url}/_fakehub/counters", timeout=30).json()
    assert set(made) <= found
    assert counters["writes"] == len(found) / 20
    assert counters["backlog"] == len(found)


@pytest.mark.processes
def test_order_does_not_depend_on_the_hash_seed():
    script = (
        "import hashlib, json; from crmsync.fakehub import clock, hub\n"
        "h = hub.FakeHub(seed=3, clock=clock.ManualClock()); a = {'Authorization': 'Bearer ' + h.token}\n"
        "h.set_webhooks(target='https://x.dev', reorder=.5, duplicate=.5)\n"
        "ids = [h.ui_create('contacts', {'firstname': str(n), 'city': 'Rome'}) for n in range(50)]\n"
        "co = h.ui_create('companies', {'name': 'C'})\n"
        "[h.ui_associate('contacts', one, 'companies', co, [1]) for one in ids]\n"
        "out = [h.handle('GET', f'/crm/{one}/2026-09/contacts', a) for one in ('properties', 'objects')]\n"
        "out += [h.handle('POST', '/crm/objects/2026-09/contacts/search', a, b'{\"query\":\"rome\"}')]\n"
        "h.deliver_webhooks(lambda u, hd, b: out.append(b) or 200)\n"
        "print(hashlib.sha256(repr((out, list(h.ledger.since()))).encode()).hexdigest())\n"
    )
    seen = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        seen.add(run.stdout)
    assert len(seen) == 1

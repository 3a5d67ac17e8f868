"""The client against the requests library, and against a real server on loopback that misbehaves."""

import contextlib
import gzip
import http.server
import json
import logging
import os
import socket
import threading
import time
import traceback
from concurrent import futures

import pytest
import requests
import responses

from crmsync.hubspot import client, errors, wire

BASE = "https://api.hubapi.com"
TOKEN = "pat-na1-11111111-2222-3333-4444-555555555555"
READ = wire.get("/crm/objects/2026-09/contacts")
SEARCH = wire.post("/crm/objects/2026-09/contacts/search", {"filterGroups": []}, reads=True, lane="search")
WRITE = wire.post("/crm/objects/2026-09/contacts/batch/create", {"inputs": [{"properties": {"email": "a@x.test"}}]})


# ---- what is sent


def test_a_read_sends_the_token_and_nothing_more_than_asked(mocked, http_client):
    mocked.get(f"{BASE}{READ.path}", json={"results": []})
    assert http_client.send(READ) == {"results": []}
    sent = mocked.calls[0].request
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["User-Agent"] == "crmsync"
    assert sent.body is None


def test_a_write_sends_json(mocked, http_client):
    mocked.post(f"{BASE}{WRITE.path}", json={"results": []}, status=201)
    http_client.send(WRITE)
    sent = mocked.calls[0].request
    assert json.loads(sent.body) == WRITE.json
    assert sent.headers["Content-Type"] == "application/json"


def test_a_token_callable_is_asked_before_every_call(mocked):
    """Fault 24: a refreshed token is used from the next call on."""
    tokens = iter(["first", "second"])
    mocked.get(f"{BASE}{READ.path}", json={})
    one = client.Client(BASE, lambda: next(tokens))
    one.send(READ)
    one.send(READ)
    assert [call.request.headers["Authorization"] for call in mocked.calls] == ["Bearer first", "Bearer second"]


def test_a_netrc_entry_does_not_replace_the_token(mocked, http_client, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.hubapi.com login eve password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    mocked.get(f"{BASE}{READ.path}", json={})
    http_client.send(READ)
    assert mocked.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_without_a_token_there_is_no_bearer_and_no_netrc(mocked, tmp_path, monkeypatch):
    """Section 2.2: the token endpoint wants everything in the form; a stray header would be somebody else's."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.hubapi.com login eve password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    mocked.post(f"{BASE}/oauth/2026-09/token", json={})
    client.Client(BASE, None).send(wire.post_form("/oauth/2026-09/token", {"a": "b c"}))
    sent = mocked.calls[0].request
    assert "Authorization" not in sent.headers
    assert (sent.headers["Content-Type"], sent.body) == ("application/x-www-form-urlencoded", b"a=b+c")


def test_every_call_has_both_timeouts(mocked, http_client, monkeypatch):
    """Fault 12: no thread is stuck past its timeout."""
    seen = []
    original = requests.Session.request
    monkeypatch.setattr(requests.Session, "request", lambda *a, **k: seen.append(k["timeout"]) or original(*a, **k))
    mocked.get(f"{BASE}{READ.path}", json={})
    http_client.send(READ)
    assert seen == [(3.05, 20.0)]


@pytest.mark.parametrize("base", ["http://api.hubapi.com", "https://u:p@api.hubapi.com", ""])
def test_plain_http_is_refused_before_anything_is_sent(base):
    """C19: all traffic is HTTPS; a plain-http base URL is refused outside of loopback."""
    with pytest.raises(errors.ConfigError):
        client.Client(base, TOKEN)


def test_an_unknown_version_is_refused():
    with pytest.raises(errors.ConfigError, match="2026-09"):
        client.Client(BASE, TOKEN, version="v3")


def test_a_malformed_token_is_refused_before_anything_is_sent(mocked):
    """C8: also when a callable delivers it."""
    with pytest.raises(errors.ConfigError) as caught:
        client.Client(BASE, lambda: "bad token\n").send(READ)
    assert "bad token" not in str(caught.value)
    assert len(mocked.calls) == 0


# ---- what comes back


@pytest.mark.parametrize("location", ["https://evil.test/x", "/elsewhere", "http://api.hubapi.com/crm"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_and_is_not_followed(mocked, http_client, status, location):
    """C19: a redirect could carry the token to another host."""
    mocked.get(f"{BASE}{READ.path}", status=status, headers={"Location": location})
    with pytest.raises(errors.Redirected):
        http_client.send(READ)
    assert len(mocked.calls) == 1


def test_a_204_is_none(mocked, http_client):
    mocked.post(f"{BASE}{WRITE.path}", status=204)
    assert http_client.send(WRITE) is None


@pytest.mark.parametrize("body", ["", "{", "<html></html>"])
def test_an_unreadable_2xx_is_an_unknown_outcome(mocked, http_client, body):
    """Fault 14."""
    mocked.post(f"{BASE}{WRITE.path}", body=body, status=200)
    with pytest.raises(errors.UnknownOutcome):
        http_client.send(WRITE)
    assert len(mocked.calls) == 1


def test_an_error_is_typed_and_not_retried(mocked, http_client):
    """Fault 9: retrying is the caller's to decide."""
    mocked.get(f"{BASE}{READ.path}", status=429, json={"policyName": "SECONDLY"}, headers={"Retry-After": "1"})
    with pytest.raises(errors.RateLimited) as caught:
        http_client.send(READ)
    assert (caught.value.policy, caught.value.retry_after) == ("SECONDLY", 1.0)
    assert len(mocked.calls) == 1


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (requests.ConnectTimeout("x"), errors.Unreachable),
        (requests.exceptions.ProxyError("x"), errors.Unreachable),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), errors.Unreachable),
        (requests.exceptions.SSLError("decryption failed or bad record mac"), errors.UnknownOutcome),
        (requests.ReadTimeout("x"), errors.UnknownOutcome),
        (requests.ConnectionError("x"), errors.UnknownOutcome),
        (requests.exceptions.ChunkedEncodingError("x"), errors.UnknownOutcome),
        (requests.exceptions.InvalidURL("x"), errors.ConfigError),
    ],
)
def test_unreachable_only_where_nothing_was_sent(mocked, http_client, failure, kind):
    """Fault 12, 13: in doubt the write may have happened."""
    mocked.post(f"{BASE}{WRITE.path}", body=failure)
    with pytest.raises(kind) as caught:
        http_client.send(WRITE)
    assert type(caught.value) is kind


# ---- a token that is refused


@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
def test_a_renewed_token_is_used_at_once(mocked, request_):
    """Fault 24: a refused call has done nothing, so a write may be sent again as well."""
    tokens, records = ["old"], []
    url = f"{BASE}{request_.path}"
    mocked.add(request_.method, url, status=401, json={"category": "EXPIRED_AUTHENTICATION"})
    mocked.add(request_.method, url, json={"ok": 1})
    one = client.Client(
        BASE,
        lambda: tokens[-1],
        on_unauthorized=lambda: tokens.append("new") is None,
        after_call=lambda record, rate: records.append(record),
    )
    assert one.send(request_) == {"ok": 1}
    assert [call.request.headers["Authorization"] for call in mocked.calls] == ["Bearer old", "Bearer new"]
    assert [(record.status, record.error) for record in records] == [(401, "Unauthorized"), (200, "")]


def test_a_token_that_cannot_be_renewed_stays_refused(mocked):
    """Fault 26: no second call, no loop."""
    mocked.get(f"{BASE}{READ.path}", status=401, json={"category": "INVALID_AUTHENTICATION"})
    with pytest.raises(errors.Unauthorized) as caught:
        client.Client(BASE, TOKEN, on_unauthorized=lambda: False).send(READ)
    assert not caught.value.expired
    assert len(mocked.calls) == 1


def test_a_token_is_renewed_once_a_call(mocked):
    """Fault 26: a renewed token that is refused too is the end of it."""
    asked = []
    mocked.get(f"{BASE}{READ.path}", status=401, json={"category": "EXPIRED_AUTHENTICATION"})
    with pytest.raises(errors.Unauthorized) as caught:
        client.Client(BASE, TOKEN, on_unauthorized=lambda: asked.append(1) is None).send(READ)
    assert caught.value.expired
    assert (len(asked), len(mocked.calls)) == (1, 2)


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_nothing_else_renews_a_token(mocked, status):
    """Fault 26: a missing scope is no expired token."""
    asked = []
    mocked.get(f"{BASE}{READ.path}", status=status, json={})
    with pytest.raises(errors.HubSpotError):
        client.Client(BASE, TOKEN, on_unauthorized=lambda: asked.append(1) is None).send(READ)
    assert asked == []


# ---- who is told


def test_observers_are_told_every_call(mocked):
    """C31: API usage is visible; what is recorded holds no query and no value."""
    asked, records = [], []
    headers = {
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Remaining": "99",
        "X-HubSpot-Correlation-Id": "c-1",
        "Date": "Sat, 21 Nov 2026 10:00:00 GMT",
    }
    path = "/crm/objects/2026-09/contacts/ada%40x.test"
    mocked.get(f"{BASE}{path}", json={"id": "1"}, headers=headers)
    mocked.post(f"{BASE}{SEARCH.path}", status=500, json={"correlationId": "c-2"})
    one = client.Client(BASE, TOKEN, before_call=asked.append, after_call=lambda *both: records.append(both))
    one.send(wire.get(path, ("idProperty", "email"), shown_path="/crm/objects/2026-09/contacts/{id}"))
    with pytest.raises(errors.ServerError):
        one.send(SEARCH)
    assert [request.lane for request in asked] == ["burst", "search"]
    (first, rate), (second, none) = records
    assert (first.method, first.path) == ("GET", "/crm/objects/2026-09/contacts/{id}")
    assert (first.status, first.lane, first.correlation_id, first.error) == (200, "burst", "c-1", "")
    assert first.seconds >= 0
    assert first.served_at is not None
    assert (first.family, first.version, first.limited) == ("objects", "2026-09", False)
    assert (second.family, second.version) == ("search", "2026-09")
    assert (rate.limit, rate.remaining) == (100, 99)
    assert (second.status, second.lane, second.correlation_id, second.error) == (500, "search", "c-2", "ServerError")
    assert none is None
    assert "ada" not in repr(records)


def test_a_limited_call_is_counted_as_one(mocked):
    """Fault 9, C31: the share of 429s is told per family."""
    records = []
    mocked.get(f"{BASE}{READ.path}", status=429, json={"policyName": "DAILY"})
    with pytest.raises(errors.RateLimited):
        client.Client(BASE, TOKEN, after_call=lambda record, rate: records.append(record)).send(READ)
    assert [(one.family, one.limited, one.error) for one in records] == [("objects", True, "RateLimited")]


def test_a_failed_connection_is_recorded_too(mocked):
    records = []
    mocked.get(f"{BASE}{READ.path}", body=requests.ConnectTimeout("x"))
    with pytest.raises(errors.Unreachable):
        client.Client(BASE, TOKEN, after_call=lambda record, rate: records.append(record)).send(READ)
    assert [(record.status, record.error) for record in records] == [(0, "Unreachable")]


def test_before_call_may_keep_a_call_from_being_made(mocked):
    """Fault 10: a daily limit that is used up stops calls at their source."""

    def refuse(request):
        raise errors.RateLimited(policy="DAILY")

    with pytest.raises(errors.RateLimited):
        client.Client(BASE, TOKEN, before_call=refuse).send(READ)
    assert len(mocked.calls) == 0


def test_a_broken_observer_does_not_lose_the_answer_of_a_write(mocked, caplog):
    """Fault 13: the write has happened; its answer must come through."""

    def broken(record, rate):
        raise RuntimeError(f"cannot store {TOKEN}")

    mocked.post(f"{BASE}{WRITE.path}", json={"results": [1]}, status=201)
    with caplog.at_level(logging.ERROR):
        assert client.Client(BASE, TOKEN, after_call=broken).send(WRITE) == {"results": [1]}
    assert [record.message for record in caplog.records] == ["after_call failed"]
    assert TOKEN not in caplog.text


# ---- the token is secret


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 401, "json": {"category": "EXPIRED_AUTHENTICATION", "message": f"token {TOKEN}"}},
        {"status": 500, "body": f"<html>{TOKEN}</html>"},
        {"status": 200, "body": TOKEN},
        {"body": requests.ConnectionError(f"failed with {TOKEN}")},
        {"body": requests.exceptions.InvalidHeader(f"Bearer {TOKEN}")},
    ],
)
def test_the_token_is_in_no_error_no_chain_no_frame_and_no_log(mocked, http_client, answer, caplog):
    """C8, C18: secrets appear in no log, error report or page."""
    mocked.post(f"{BASE}{WRITE.path}", **answer)
    with caplog.at_level(logging.DEBUG), pytest.raises(errors.HubSpotError) as caught:
        http_client.send(WRITE)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    # Frames of this room only: the test and the mock know the token themselves.
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "crmsync" in frame.f_code.co_filename]
    frames = [frame for frame in frames if "/tests/" not in frame.f_code.co_filename]
    shown = [str(error), repr(error), repr(error.args), caplog.text, *(repr(frame.f_locals) for frame in frames)]
    assert frames
    assert not [text for text in shown if TOKEN in text]


def test_a_client_shows_no_token():
    one = client.Client(BASE, TOKEN)
    assert repr(one) == "Client('https://api.hubapi.com', version='2026-09')"
    assert TOKEN not in repr(vars(one))
    assert one.base_url == BASE


# ---- real sockets


class Server:
    """A loopback server whose every connection is handled by a function of (socket, number of connection)."""

    def __init__(self, handle):
        self.handle = handle
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(peer, self.connections), daemon=True).start()

    def _one(self, peer, number):
        with peer, contextlib.suppress(OSError):
            self.handle(peer, number)

    def close(self):
        self.listener.close()


def read_request(peer):
    """One request, b"" at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = peer.recv(65_536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < length:
        body += peer.recv(65_536)
    return head + b"\r\n\r\n" + body


def answer(body=b"{}", status=b"200 OK", length=None):
    size = str(len(body) if length is None else length).encode()
    return (
        b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: " + size + b"\r\n\r\n" + body
    )


@pytest.fixture
def server():
    started, clients = [], []

    def start(handle, **options):
        started.append(Server(handle))
        clients.append(client.Client(started[-1].url, TOKEN, **{"timeout": (1.0, 0.6)} | options))
        return started[-1], clients[-1]

    yield start
    for one in clients:
        one.close()
    for one in started:
        one.close()


def keep_alive(peer, number):
    while read_request(peer):
        peer.sendall(answer())


def test_one_connection_serves_many_calls(server):
    one, http = server(keep_alive)
    for _ in range(5):
        assert http.send(READ) == {}
    assert one.connections == 1


def test_threads_share_the_pool(server):
    one, http = server(keep_alive)
    with futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: http.send(READ), range(80))) == [{}] * 80
    assert one.connections <= 8


def half_closed(answered):
    """Answers once, then drops the connection at the next request without a byte."""

    def handle(peer, number):
        read_request(peer)
        peer.sendall(answer())
        answered.append(number)
        if number == 1:
            read_request(peer)
            return
        keep_alive(peer, number)

    return handle


@pytest.mark.parametrize("request_", [READ, SEARCH], ids=["get", "search"])
def test_a_stale_connection_does_not_surface_for_reads(server, request_):
    """Fault 12: a kept-alive connection closed by the server is tried once more, fresh."""
    asked = []
    one, http = server(half_closed([]), before_call=asked.append)
    assert http.send(request_) == {}
    assert http.send(request_) == {}
    assert one.connections == 2
    assert len(asked) == 3  # the second attempt counts against the budget as well


def test_a_stale_connection_is_an_unknown_outcome_for_writes(server):
    """Fault 13: a write is never sent twice by the client."""
    one, http = server(half_closed([]))
    assert http.send(WRITE) == {}
    with pytest.raises(errors.UnknownOutcome):
        http.send(WRITE)
    assert one.connections == 1


def test_a_read_is_tried_twice_and_no_more(server):
    seen = []

    def always_drop(peer, number):
        read_request(peer)
        seen.append(number)

    _, http = server(always_drop)
    with pytest.raises(errors.UnknownOutcome):
        http.send(READ)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "sent",
    [answer(b'{"results": [', length=1_000), answer(b"", length=10), b"HTTP/1.1 200 OK\r\nContent-Le"],
    ids=["cut body", "no body", "cut header"],
)
def test_a_cut_answer_is_an_unknown_outcome(server, sent):
    """Fault 12, 14: the connection breaks in the middle of the answer."""

    def cut(peer, number):
        read_request(peer)
        peer.sendall(sent)

    _, http = server(cut)
    with pytest.raises(errors.UnknownOutcome):
        http.send(WRITE)


def test_an_error_status_is_known_although_its_body_breaks_off(server):
    """Fault 12: a 429 stays a 429."""

    def cut(peer, number):
        read_request(peer)
        peer.sendall(answer(b'{"poli', status=b"429 Too Many Requests", length=500))

    _, http = server(cut)
    with pytest.raises(errors.RateLimited):
        http.send(WRITE)


def test_silence_after_sending_is_an_unknown_outcome(server):
    """Fault 13: a timeout after the write was applied."""
    _, http = server(lambda peer, number: (read_request(peer), time.sleep(2)))
    started = time.monotonic()
    with pytest.raises(errors.UnknownOutcome):
        http.send(WRITE)
    assert time.monotonic() - started < 1.5


def test_a_dripping_body_does_not_hold_the_thread(server):
    """Fault 12: slow drip; each byte comes in time, the whole never would."""

    def drip(peer, number):
        read_request(peer)
        peer.sendall(answer(b"", length=1_000))
        for _ in range(100):
            peer.sendall(b" ")
            time.sleep(0.05)

    _, http = server(drip)
    started = time.monotonic()
    with pytest.raises(errors.UnknownOutcome):
        http.send(READ)
    assert time.monotonic() - started < 2


def test_a_chunked_and_zipped_answer_is_read():
    """HubSpot answers through a CDN: chunked and compressed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            packed = gzip.compress(json.dumps({"results": ["x" * 200_000]}).encode())
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(packed), 100):
                part = packed[start : start + 100]
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        http_client = client.Client(f"http://127.0.0.1:{one.server_port}", TOKEN)
        for _ in range(3):
            assert http_client.send(READ) == {"results": ["x" * 200_000]}
        http_client.close()
        one.shutdown()


def test_nothing_listening_is_unreachable():
    """Fault 12: refused; certainly not applied."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(errors.Unreachable):
        client.Client(url, TOKEN).send(WRITE)


def test_a_name_that_does_not_resolve_is_unreachable(monkeypatch):
    """Fault 12: DNS."""

    def no_such_name(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    with pytest.raises(errors.Unreachable):
        client.Client("https://api.hubapi.com", TOKEN).send(WRITE)


def test_plain_text_where_tls_was_expected_is_unreachable(server):
    """Fault 12: a TLS handshake that fails; nothing was sent."""
    one, _ = server(lambda peer, number: (peer.recv(100), peer.sendall(b"HTTP/1.0 400 Bad\r\n\r\n")))
    http = client.Client(one.url.replace("http://", "https://"), TOKEN)
    with pytest.raises(errors.Unreachable):
        http.send(WRITE)
    http.close()


def test_cookies_are_not_kept(server):
    heads = []

    def with_cookie(peer, number):
        while request := read_request(peer):
            heads.append(request)
            peer.sendall(answer().replace(b"\r\n", b"\r\nSet-Cookie: __cf_bm=abc; Path=/\r\n", 1))

    _, http = server(with_cookie)
    http.send(READ)
    http.send(READ)
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12: other threads run
def test_a_fork_never_shares_a_connection(server):
    """Fork safety: a session with an open socket that crosses a fork gives wrong answers."""
    one, http = server(keep_alive)
    http.send(READ)
    parent = http._sessions[os.getpid()]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            other = http._session()
            fine = other is not parent and http._session() is other and http.send(READ) == {}
            os.write(writer, b"y" if fine else b"n")
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        assert said.read() == b"y"
    os.waitpid(child, 0)
    assert http.send(READ) == {}
    assert http._session() is parent
    assert one.connections == 2


def test_close_may_be_followed_by_more_calls(server):
    one, http = server(keep_alive)
    http.send(READ)
    http.close()
    http.close()
    assert http.send(READ) == {}
    assert one.connections == 2


def test_a_proxy_of_the_environment_never_sees_plain_http(server, monkeypatch):
    """C19: the token on loopback stays on loopback."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    _, http = server(keep_alive)
    assert http.send(READ) == {}


def test_responses_sees_the_client():
    """The client goes through requests, so a host's tests can mock it."""
    with responses.RequestsMock() as mock:
        mock.get(f"{BASE}{READ.path}", json={"ok": True})
        assert client.Client(BASE, TOKEN).send(READ) == {"ok": True}

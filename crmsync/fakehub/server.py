"""The portal over HTTP/1.1 on the loopback interface, and its command line.

    python -m crmsync.fakehub --port 0 --seed 7 --search-lag 2 --state /tmp/portal.jsonl

prints ``fakehub ready http://127.0.0.1:PORT`` and serves until SIGTERM or SIGINT. Requests are read by hand, since
the reader of ``http.server`` takes longer than the portal needs for an answer.
"""

import argparse
import ipaddress
import signal
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

from crmsync.fakehub import clock, control, exchange, webhooks
from crmsync.fakehub import hub as hubs

MAX_HEADERS = 100
MAX_BODY = 64 * 1024 * 1024
REASONS = {200: "OK", 201: "Created", 204: "No Content", 207: "Multi-Status", 302: "Found", 400: "Bad Request"}


class BadRequestError(Exception):
    """Bytes that are no HTTP request."""


class Handler(socketserver.StreamRequestHandler):
    """One connection: requests one after another until either side ends it."""

    disable_nagle_algorithm = True
    wbufsize = 0
    server: "Server"

    def handle(self) -> None:
        try:
            while self._serve_one():
                pass
        except (ConnectionError, BadRequestError, TimeoutError):
            pass

    def _serve_one(self) -> bool:
        line = self.rfile.readline(65_537)
        if not line:
            return False
        try:
            method, target, version = line.decode("latin-1").split()
        except ValueError as bad:
            raise BadRequestError from bad
        headers = read_headers(self.rfile)
        body = read_body(self.rfile, headers)
        if target.startswith(control.PREFIX):
            response = control.handle(self.server.hub, method, target, body)
        else:
            response = self.server.hub.handle(method, target, headers, body)
        if response.delay:
            self.server.hub.clock.sleep(response.delay)
        if response.drop:
            self._cut(reset=response.drop == "reset")
            return False
        keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        self.wfile.write(self._written(response, keep))
        return keep

    def _written(self, response: exchange.Response, keep: bool) -> bytes:
        """The answer as bytes, in one piece."""
        response.headers.setdefault("Date", clock.http_date(int(self.server.hub.clock.told())))
        lines = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Fakehub')}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status != 204:
            lines.append(f"Content-Length: {len(response.body)}")
        if not keep:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + response.body

    def _cut(self, *, reset: bool) -> None:
        """End the connection without an answer; a reset is seen as such by the other side."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], portal: hubs.FakeHub) -> None:
        super().__init__(address, Handler)
        self.hub = portal
        self.courier = webhooks.Courier(portal)
        portal.on_events = self.courier.wake

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def run(self) -> None:
        """Serve until ``stop``; webhooks are sent meanwhile."""
        self.courier.start()
        self.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        self.courier.stop()
        self.shutdown()
        self.server_close()
        self.hub.close()

    def shutdown_request(self, request: "socket.socket | tuple[bytes, socket.socket]") -> None:
        """Close quietly: a cut connection has no end left to shut down."""
        self.close_request(request)


def read_headers(stream: IO[bytes] | Any) -> dict[str, str]:
    """Header lines by lower-case name."""
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = stream.readline(65_537)
        if line in {b"\r\n", b"\n"}:
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BadRequestError
        headers[name.strip().lower()] = value.strip()
    raise BadRequestError


def read_body(stream: IO[bytes] | Any, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return read_chunks(stream)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > MAX_BODY:
        raise BadRequestError
    return stream.read(int(length)) if length != "0" else b""


def read_chunks(stream: IO[bytes] | Any) -> bytes:
    parts = []
    while True:
        size = int(stream.readline(100).split(b";")[0], 16)
        parts.append(stream.read(size))
        stream.readline(100)
        if size == 0:
            return b"".join(parts)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crmsync.fakehub", description="A stateful fake HubSpot portal over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address; others are refused")
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--portal-id", type=int, default=4242)
    parser.add_argument("--search-lag", type=float, default=0.0, help="seconds until search sees a change")
    parser.add_argument("--tier", default="professional", choices=["free", "professional", "enterprise", "increased"])
    parser.add_argument("--no-limits", action="store_true", help="no rate limits and no rate headers")
    parser.add_argument("--webhook-url", default="", help="where signed webhooks go")
    parser.add_argument("--client-secret", default="fakehub-client-secret")
    parser.add_argument("--app-id", type=int, default=0)
    parser.add_argument("--state", default="", help="a file that keeps the portal through a kill")
    return parser


def make_hub(options: argparse.Namespace) -> hubs.FakeHub:
    portal = hubs.FakeHub(
        options.seed,
        portal_id=options.portal_id,
        search_lag=options.search_lag,
        state=options.state,
        tier=options.tier,
        limits_on=not options.no_limits,
    )
    if options.webhook_url:
        portal.set_webhooks(target=options.webhook_url, secret=options.client_secret, app_id=options.app_id)
    return portal


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit code is 0, or 2 for a host that is not this machine's own."""
    options = make_parser().parse_args(argv)
    if not is_loopback(options.host):
        sys.stderr.write(f"{options.host} is no loopback address; the fake portal has no real locks\n")
        return 2
    server = Server((options.host, options.port), make_hub(options))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.stop, daemon=True).start())
    sys.stdout.write(f"fakehub ready {server.url}\n")
    sys.stdout.flush()
    server.run()
    return 0

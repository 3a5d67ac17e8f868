"""Client: sends requests over HTTPS. The only file of crmsync that imports requests.

It retries nothing (when to try again is the caller's to decide), with one exception: a read that died on a
kept-alive connection which the server had closed meanwhile is made once more on a fresh one.
"""

import http.cookiejar
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
import requests.adapters
import urllib3.exceptions

from crmsync.hubspot import errors, shapes, trust, types, versions, wire

logger = logging.getLogger(__name__)

CHUNK = 65_536
# What a TLS library says when no handshake took place: the request was not sent. Any other TLS error may
# have struck after sending.
_HANDSHAKE_REASONS = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION|HANDSHAKE_FAILURE|UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION"
    r"|UNKNOWN_CA|UNRECOGNIZED_NAME|HTTP_REQUEST"
)

BeforeCall = Callable[[wire.Request], None]
AfterCall = Callable[[types.CallRecord, wire.RateState | None], None]


@dataclass(frozen=True, slots=True, repr=False)
class _Answer:
    """One attempt: what came back, or why nothing did. ``stale``: a kept connection was closed under it."""

    status: int = 0
    headers: dict[str, str] | None = None
    body: bytes = b""
    failure: errors.HubSpotError | None = None
    stale: bool = False


class Client:
    """Sends requests to one account. Safe for threads, and for forks: each process opens its own connections.

    ``token``: the bearer token, or a callable that returns it, asked before every call; None sends no bearer
    at all, as the token endpoint wants it. ``timeout``: seconds to connect, and seconds without a byte (also the
    limit for receiving a whole body). ``before_call(request)`` may sleep, or raise a HubSpotError to keep the
    call from being made. ``on_unauthorized`` is asked after a 401: True means that the token was renewed and the
    call is made once more. ``after_call(record, rate)`` is told every call made; what it raises is logged and
    goes no further, because the call has happened.
    """

    def __init__(  # noqa: PLR0913  (keywords, each with a default)
        self,
        base_url: str,
        token: str | Callable[[], str] | None,
        *,
        version: str = versions.CURRENT,
        timeout: tuple[float, float] = (3.05, 20.0),
        before_call: BeforeCall | None = None,
        after_call: AfterCall | None = None,
        on_unauthorized: Callable[[], bool] | None = None,
        pool_size: int = 10,
        user_agent: str = "crmsync",
    ) -> None:
        self._base_url = trust.checked_base_url(base_url)
        self._paths = versions.paths(version)
        # A closure, so that no repr or dump of this object holds the token.
        self._token = token if token is None or callable(token) else lambda: token
        self._timeout = timeout
        self._before_call = before_call
        self._after_call = after_call
        self._on_unauthorized = on_unauthorized
        self._pool_size = pool_size
        self._user_agent = user_agent
        self._sessions: dict[int, requests.Session] = {}

    def __repr__(self) -> str:
        return f"Client({self._base_url!r}, version={self._paths.version!r})"

    @property
    def base_url(self) -> str:
        return self._base_url

    @property
    def paths(self) -> versions.Paths:
        return self._paths

    def send(self, request: wire.Request) -> shapes.Json | None:
        """The decoded JSON object, None for 204. Raises a HubSpotError for everything else."""
        decoded, error, stale = self._attempt(request)
        if stale and request.reads:
            decoded, error, _ = self._attempt(request)
        if isinstance(error, errors.Unauthorized) and self._on_unauthorized is not None and self._on_unauthorized():
            decoded, error, _ = self._attempt(request)  # a refused call has done nothing
        if error is not None:
            # Without its old traceback: those frames know the token, and error reporters print frames.
            raise error.with_traceback(None)
        return decoded

    def close(self) -> None:
        """Close this process's connections; the client may be used again and opens new ones."""
        session = self._sessions.pop(os.getpid(), None)
        if session is not None:
            session.close()

    def _attempt(self, request: wire.Request) -> tuple[shapes.Json | None, errors.HubSpotError | None, bool]:
        token = None if self._token is None else trust.checked_token(self._token())
        if self._before_call is not None:
            self._before_call(request)
        started = time.monotonic()
        answer = self._exchange(request, token)
        seconds = time.monotonic() - started
        decoded, error = None, answer.failure
        if error is None:
            try:
                decoded = wire.decode(answer.status, answer.headers or {}, answer.body, bodyless=request.bodyless)
            except errors.HubSpotError as refused:
                error = refused
        self._report(request, answer, error, seconds)
        return decoded, error, answer.stale

    def _exchange(self, request: wire.Request, token: str | None) -> _Answer:
        connect, read = self._timeout
        payload, content_type = request.payload()
        headers = {"Accept": "application/json", "Content-Type": content_type} if payload else None
        try:
            response = self._session().request(
                request.method,
                self._base_url + request.target,
                data=payload,
                headers=headers,
                auth=_bearer(token),
                timeout=(connect, read),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as failure:
            return _Answer(failure=_classified(failure), stale=_is_stale(failure))
        with response:
            return _received(response, time.monotonic() + read)

    def _report(
        self, request: wire.Request, answer: _Answer, error: errors.HubSpotError | None, seconds: float
    ) -> None:
        if self._after_call is None:
            return
        headers = answer.headers or {}
        family, version = versions.family_of(request.path)
        record = types.CallRecord(
            method=request.method,
            path=request.loggable_path,
            status=answer.status,
            seconds=seconds,
            lane=request.lane,
            correlation_id=(error.correlation_id if error else "") or wire.correlation_id(headers),
            error=type(error).__name__ if error else "",
            served_at=wire.served_at(headers),
            family=family,
            version=version,
            limited=answer.status == 429,
        )
        try:
            self._after_call(record, wire.rate_state(headers))
        except Exception as failure:  # the call has happened: a broken observer must not lose its answer
            logger.error("after_call failed", extra={"error": type(failure).__name__})

    def _session(self) -> requests.Session:
        """This process's session. A connection shared across a fork gives wrong answers, so none ever is."""
        found = self._sessions.get(os.getpid())
        # setdefault: threads that race here throw away an unused session, and need no lock that a fork
        # could leave locked.
        return found or self._sessions.setdefault(os.getpid(), self._new_session())

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        adapter = requests.adapters.HTTPAdapter(
            pool_connections=1, pool_maxsize=self._pool_size, max_retries=0, pool_block=False
        )
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers["User-Agent"] = self._user_agent
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        session.trust_env = self._base_url.startswith("https://")  # a proxy must not see plain http
        return session


def _bearer(token: str | None) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """As ``auth``, not as a header: else requests would let a ~/.netrc entry replace it (or fill it in)."""

    def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if token is not None:
            prepared.headers["Authorization"] = f"Bearer {token}"
        return prepared

    return sign


def _received(response: requests.Response, deadline: float) -> _Answer:
    """The whole answer, or UnknownOutcome for a 2xx whose body breaks off or trickles past ``deadline``."""
    headers = dict(response.headers)
    parts: list[bytes] = []
    try:
        # read1 hands over what has arrived: a server that drips byte by byte cannot hold the thread.
        while part := response.raw.read1(CHUNK, decode_content=True):
            parts.append(part)
            if time.monotonic() > deadline:
                raise urllib3.exceptions.TimeoutError("the body took too long")
    except (urllib3.exceptions.HTTPError, OSError) as failure:
        if not 200 <= response.status_code < 300:
            return _Answer(response.status_code, headers)  # the status says enough
        reason = f"the answer broke off ({type(failure).__name__})"
        error = errors.UnknownOutcome(
            reason, status=response.status_code, correlation_id=wire.correlation_id(headers)
        )
        return _Answer(response.status_code, headers, failure=error)
    return _Answer(response.status_code, headers, b"".join(parts))


def _classified(failure: Exception) -> errors.HubSpotError:
    """Unreachable only where nothing can have been sent; in doubt UnknownOutcome.

    The cause is not chained: it holds the request with its token, and prints the URL.
    """
    reason = getattr(failure.args[0] if failure.args else None, "reason", None) or failure
    name = type(reason).__name__
    if isinstance(failure, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader | UnicodeError):
        return errors.ConfigError(f"the request cannot be sent ({name})")
    never_sent = (
        requests.exceptions.ConnectTimeout,
        requests.exceptions.ProxyError,
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
    )
    if isinstance(failure, never_sent) or isinstance(reason, never_sent) or _is_handshake_failure(failure):
        return errors.Unreachable(f"no connection ({name})")
    return errors.UnknownOutcome(f"the connection failed after sending ({name})")


def _is_handshake_failure(failure: Exception) -> bool:
    if not isinstance(failure, requests.exceptions.SSLError):
        return False
    return bool(_HANDSHAKE_REASONS.search(str(failure)))


def _is_stale(failure: Exception) -> bool:
    """Closed or reset before an answer's first byte, as an idle kept-alive connection is."""
    cause = failure.args[0] if failure.args else None
    inner = cause.args[-1] if isinstance(cause, urllib3.exceptions.ProtocolError) and cause.args else None
    return isinstance(inner, ConnectionResetError | ConnectionAbortedError | BrokenPipeError)

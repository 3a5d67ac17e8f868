"""Whom the token may be sent to."""

import traceback

import pytest

from crmsync.hubspot import errors, trust

NAME = trust.checked_token.__name__


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("https://api.hubapi.com", "https://api.hubapi.com"),
        ("HTTPS://api.hubapi.com/", "https://api.hubapi.com"),
        ("https://proxy.example.test/hubspot/", "https://proxy.example.test/hubspot"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_https_and_loopback_are_trusted(given, wanted):
    assert trust.checked_base_url(given) == wanted


@pytest.mark.parametrize(
    "given",
    [
        "http://api.hubapi.com",
        "http://localhost.evil.test",
        "http://127.0.0.1.evil.test",
        "http://localhost@evil.test",
        "https://user@api.hubapi.com",
        "https://user:pass@api.hubapi.com",
        "http://0.0.0.0:8000",
        "http://192.168.1.1",
        "http://10.0.0.1",
        "http://[::]:80",
        "http://2130706433",
        "ftp://localhost",
        "file:///etc/passwd",
        "//api.hubapi.com",
        "api.hubapi.com",
        "https://",
        "https://api.hubapi.com?x=1",
        "https://api.hubapi.com#x",
        "https://api.hubapi.com:port",
        "https://[::1",
        "",
    ],
)
def test_everything_else_is_refused(given):
    """C19: all traffic is HTTPS; a plain-http base URL is refused outside of loopback."""
    with pytest.raises(errors.ConfigError):
        trust.checked_base_url(given)


@pytest.mark.parametrize("token", ["", " ", "pat na1", "pat-na1\n", "\tpat", "pät", "pat\x7f", None, b"pat", 7])
def test_a_malformed_token_is_refused_without_naming_it(token):
    """C8, C18: the format is checked, and the refusal does not quote it."""
    with pytest.raises(errors.ConfigError) as caught:
        trust.checked_token(token)
    assert "pat" not in str(caught.value)
    frame = next(frame for frame, _ in traceback.walk_tb(caught.value.__traceback__) if frame.f_code.co_name == NAME)
    assert "token" not in frame.f_locals


def test_a_long_token_is_fine():
    assert trust.checked_token("C" * 2_000) == "C" * 2_000

"""Whom the token may be sent to, and what a token looks like. Pure; no I/O."""

import ipaddress
import re
import urllib.parse

from crmsync.hubspot import errors


def checked_base_url(text: str) -> str:
    """The base URL without a slash at its end; ConfigError where a token would travel unprotected."""
    try:
        parts = urllib.parse.urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise errors.ConfigError("the base URL cannot be read") from None
    if not host or parts.username is not None or parts.query or parts.fragment:
        raise errors.ConfigError("the base URL must look like https://host")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise errors.ConfigError("the base URL must be https; plain http is for loopback addresses only")
    return parts.geturl().rstrip("/")


def checked_token(token: object) -> str:
    """The token; ConfigError where it cannot be one, never naming it (requests would print a bad header)."""
    if isinstance(token, str) and re.fullmatch(r"[\x21-\x7e]+", token):
        return token
    del token  # error reporters print the variables of a frame
    raise errors.ConfigError("the access token is empty or holds characters no token has")


def is_loopback(host: str) -> bool:
    """Is this 127.0.0.0/8, ::1 or localhost?"""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

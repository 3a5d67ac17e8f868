"""Environment: is this the installation a portal was connected by, and may it write there?

A copy of the production database must not write into the production account, and a second installation that
shares a portal must be seen.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final
from urllib.parse import quote, unquote

from crmsync.engine import terms

PRODUCTION: Final = "production"
# HubSpot: account information, accountType. Everything else, also what HubSpot may invent, is taken for real.
TEST_ACCOUNT_TYPES: Final = frozenset({"DEVELOPER_TEST", "SANDBOX", "APP_DEVELOPER"})
LONGEST_LABEL: Final = 40  # characters of a label in a marker, which is read by people in HubSpot


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells one installation and its portal from another.

    ``site``: its public address. ``database``: which database, without a password. ``label``: the environment's
    name in the settings. ``portal_id`` is HubSpot's, 0 if not known; ``account_type`` as HubSpot spells it.
    """

    site: str
    database: str
    label: str
    portal_id: int
    account_type: str

    def to_json(self) -> dict[str, str | int]:
        """For a JSON column; ``from_json`` reads it."""
        return asdict(self)


class State(terms.Term):
    OPEN = "open", "open"
    LOCKED = "locked", "locked until confirmed"
    READ_ONLY = "read_only", "read-only"
    REFUSED = "refused", "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reason`` says why, ``remedy`` what a person can do; both blank when all is open."""

    state: State
    reason: str = ""
    remedy: str = ""

    @property
    def may_write(self) -> bool:
        """Whether anything may be written to HubSpot."""
        return self.state is State.OPEN

    @property
    def may_read(self) -> bool:
        """Whether the sync may read; a test of the connection need not ask."""
        return self.state in (State.OPEN, State.READ_ONLY)


def from_json(raw: object) -> Fingerprint | None:
    """The fingerprint as stored; None where nothing was stored.

    Parts that are missing or of the wrong type become blank, and something unreadable becomes all blank: then it
    differs from any other and locks, which is the safe mistake.
    """
    if raw is None or raw in ({}, [], ""):
        return None
    held = raw if isinstance(raw, Mapping) else {}
    texts = {name: held[name] if isinstance(held.get(name), str) else "" for name in _TEXTS}
    return Fingerprint(portal_id=_to_id(held.get("portal_id")), **texts)


def differences(stored: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """What differs, one sentence each; a part that is blank now and was not, or the reverse, differs too."""
    return tuple(
        f"the {_PARTS[one.name]} was {_say(getattr(stored, one.name))}, now it is {_say(getattr(now, one.name))}"
        for one in fields(Fingerprint)
        if getattr(stored, one.name) != getattr(now, one.name)
    )


def decide(stored: Fingerprint | None, now: Fingerprint, *, environment: str, read_only: bool) -> Verdict:
    """What this installation may do in this portal.

    ``environment`` is the settings' label, blank where none is set; ``read_only`` the setting for a rehearsal
    against real data. Only a test account may be written to by anything but production. The first use is open,
    a changed fingerprint is locked until a person confirms it.
    """
    if read_only:
        return Verdict(State.READ_ONLY, "The settings make HubSpot read-only here.", _MAKE_WRITABLE)
    label = environment.strip()
    if label and label.casefold() != PRODUCTION and now.account_type not in TEST_ACCOUNT_TYPES:
        kind = f"is of type {now.account_type}" if now.account_type else "is of a type not known yet"
        return Verdict(
            State.REFUSED,
            f"This environment is “{label}”, and the HubSpot account {kind}: only test accounts may be used here.",
            _USE_TEST_ACCOUNT if now.account_type else _TEST_CONNECTION,
        )
    changed = differences(stored, now) if stored is not None else ()
    if changed:
        return Verdict(State.LOCKED, f"This is not where the portal was connected: {'; '.join(changed)}.", _CONFIRM)
    return Verdict(State.OPEN)


def marker(install_id: str, label: str) -> str:
    """A short text that names this installation, for the description of crmsync's own property in HubSpot.

    A blank ``install_id`` is a ValueError. The label is cut to ``LONGEST_LABEL`` characters.
    """
    if not install_id.strip():
        raise ValueError("install_id is blank")
    return f"[crmsync install={_quote(install_id)} label={_quote(label[:LONGEST_LABEL])}]"


def read_marker(text: str) -> tuple[str, str] | None:
    """(install id, label) of the first marker in a text, or None."""
    found = _MARKER.search(text)
    return None if found is None else (unquote(found[1]), unquote(found[2]))


def set_marker(text: str, install_id: str, label: str) -> str:
    """The text with this installation's marker instead of any other, and everything else as it was."""
    rest = _MARKER.sub("", text).rstrip()
    return f"{rest} {marker(install_id, label)}".lstrip()


def _quote(text: str) -> str:
    """Percent-encoded, so that neither a bracket nor HubSpot's own escaping can break the marker."""
    return quote(text, safe="", errors="replace")


def _to_id(raw: object) -> int:
    if isinstance(raw, str) and raw.isdecimal() and raw.isascii():
        return int(raw[:_LONGEST_ID])
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else 0


def _say(part: str | int) -> str:
    return f"“{part}”" if part else "not set"


_LONGEST_ID: Final = 19  # digits of a 64-bit number
_PARTS: Final = {
    "site": "site's address",
    "database": "database",
    "label": "environment",
    "portal_id": "HubSpot account",
    "account_type": "account's type",
}
_TEXTS: Final = tuple(name for name in _PARTS if name != "portal_id")
_MARKER: Final = re.compile(r"\[crmsync\s+install=([\w.~%-]+)\s+label=([\w.~%-]*)\s*\]", re.ASCII)
_MAKE_WRITABLE: Final = "Change the setting when the rehearsal is over."
_USE_TEST_ACCOUNT: Final = "Connect a sandbox or a developer test account, or rehearse with the read-only setting."
_TEST_CONNECTION: Final = "Test the connection, so that HubSpot tells the account's type."
_CONFIRM: Final = (
    "If this is a copy, connect a test account. If the installation has moved, confirm it on the portal's page."
)

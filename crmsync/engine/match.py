"""Match: is there one partner, and may it be linked? The flows look candidates up; this decides.

Exactly one match links. Several, or one that is another record's partner already, do not.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from crmsync.engine import canonical, record, terms

_SCHEME: Final = re.compile(r"^(?:mailto:|[a-z][a-z0-9+-]*:/+)")
_SEPARATORS: Final = re.compile(r"[\s().\-/\u2010-\u2015]+")
# Fewer digits are an extension, which many share.
_LEAST_PHONE: Final = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that was looked up, with its match value; ``is_taken``: it is linked with another record."""

    key: record.RecordKey
    value: object
    is_taken: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """``partner`` for linked and found; ``candidates`` are the keys that matched, for a person to look at."""

    result: terms.MatchResult
    partner: record.RecordKey | None = None
    candidates: tuple[record.RecordKey, ...] = ()


def normalise(value: object, normaliser: terms.Normaliser) -> str | None:
    """A match value made comparable; None for what cannot match anything."""
    text = canonical.plain_text(value)
    if text is None or normaliser is terms.Normaliser.EXACT:
        return text
    return _settled(_NORMALISERS[normaliser], text) or None


def _settled(normal_of: Callable[[str], str], text: str) -> str:
    """Until it stays the same, so that "www.www.acme.com" and "www.acme.com" are one; each step shortens it."""
    while (shorter := normal_of(text.strip().casefold())) != text:
        text = shorter
    return text


def is_same(one: object, other: object, normaliser: terms.Normaliser) -> bool:
    """Whether two values match each other."""
    wanted = normalise(one, normaliser)
    return wanted is not None and wanted == normalise(other, normaliser)


def decide(
    value: object,
    candidates: Iterable[Candidate],
    normaliser: terms.Normaliser,
    linked: record.RecordKey | None = None,
) -> Match:
    """The partner for a record with this match value; ``linked`` is its partner if it has a link already.

    Candidates whose value does not match are dropped, since a search may bring more than was asked for. One
    that is taken still counts: two records with one address are ambiguous, linked or not.
    """
    if linked is not None:
        return Match(terms.MatchResult.LINKED, linked, (linked,))
    found = {one.key: one for one in candidates if is_same(value, one.value, normaliser)}
    keys = tuple(sorted(found))
    if not keys:
        return Match(terms.MatchResult.NONE)
    if len(keys) > 1:
        return Match(terms.MatchResult.AMBIGUOUS, None, keys)
    if found[keys[0]].is_taken:
        return Match(terms.MatchResult.TAKEN, None, keys)
    return Match(terms.MatchResult.FOUND, keys[0], keys)


def spellings(value: str, normaliser: terms.Normaliser) -> tuple[str, ...]:
    """How a side that compares letter by letter may have what ``value`` is compared as: the value first."""
    normal = normalise(value, normaliser)
    found = [value] if normal is None else [value, normal]
    if normal is not None and normaliser is terms.Normaliser.PHONE:
        found += [f"+{normal}", f"00{normal}"]
    return tuple(dict.fromkeys(found))


def tag_pattern(normal: str) -> str:
    """What finds all tagged spellings of a normal e-mail address: "ann@x.org" is "ann+*@x.org"."""
    name, _, domain = normal.rpartition("@")
    return f"{name}+*@{domain}"


def _email(text: str) -> str:
    text = text.removeprefix("mailto:").strip()
    name, _, domain = text.rpartition("@")
    return text if name and domain else ""


def _email_without_tag(text: str) -> str:
    """Many mail servers deliver ann+shop@x.org to ann@x.org."""
    name, _, domain = _email(text).rpartition("@")
    mailbox = name.partition("+")[0] or name
    return f"{mailbox}@{domain}" if name else ""


def _phone(text: str) -> str:
    """All digits with the country code, without "+" or "00" before them; "" for what holds anything else.

    No country is guessed, so 020 7946 0000 and +44 20 7946 0000 stay different.
    """
    bare = _SEPARATORS.sub("", text.removeprefix("tel:"))
    digits = bare.removeprefix("+")
    while digits.startswith("00"):
        digits = digits.removeprefix("00")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) >= _LEAST_PHONE
    return digits if is_number else ""


def _domain(text: str) -> str:
    """From a domain, an address of a page or an e-mail address; without ``www.``, port and path."""
    host = re.split(r"[/?#]", _SCHEME.sub("", text), maxsplit=1)[0]
    host = host.rpartition("@")[2].partition(":")[0].strip(".")
    return host.removeprefix("www.")


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


_NORMALISERS: Final[dict[terms.Normaliser, Callable[[str], str]]] = {
    terms.Normaliser.TRIMMED: str,
    terms.Normaliser.EMAIL: _email,
    terms.Normaliser.EMAIL_PLUS: _email_without_tag,
    terms.Normaliser.DOMAIN: _domain,
    terms.Normaliser.PHONE: _phone,
    terms.Normaliser.DIGITS: _digits,
}

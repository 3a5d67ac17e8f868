"""Scopes: the least that HubSpot must grant for the mappings there are, with the reason for each.

HubSpot: authentication, scopes. Since September 2026 the one scope ``tickets`` may come in four parts; either
form is taken as granted.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

OAUTH: Final = "oauth"
OWNERS: Final = "crm.objects.owners.read"
TIMELINE: Final = "timeline"
EMAILS: Final = "sales-email-read"
TICKETS: Final = "tickets"

_SENSITIVE_TICKETS: Final = "tickets.sensitive.v2"
_NAMES: Final = {"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-5": "tickets"}
_OBJECT_SCOPE: Final = re.compile(r"crm\.(objects|schemas)\.([a-z_-]+)\.(?:(sensitive)\.)?(read|write)(?:\.v2)?")


@dataclass(frozen=True, slots=True)
class Use:
    """What one mapping does in HubSpot; ``mapping`` is its name as staff know it.

    ``object_type`` is a name, an id such as 0-1, or a custom type. ``sensitive``: maps sensitive properties.
    ``takes_from``: the object types whose values it takes over along associations. ``associates``: the object types
    of its associations, and whether it makes and removes them. ``creates_properties``: to create records it needs a
    property of its own. ``adds_options``: a value that is no option yet becomes one. ``offers_properties``: staff may
    create properties on its page.
    """

    mapping: str
    object_type: str
    reads: bool
    writes: bool
    creates_properties: bool
    uses_owners: bool
    reads_schema: bool = True
    sensitive: bool = False
    streams_events: bool = False
    reads_emails: bool = False
    takes_from: tuple[str, ...] = ()
    associates: tuple[tuple[str, bool], ...] = ()
    adds_options: bool = False
    offers_properties: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """One scope and who needs it what for, as "mapping: reason".

    ``is_optional``: without it only a feature is off. ``or_scopes``: granted together they do as well.
    """

    scope: str
    reasons: tuple[str, ...]
    is_optional: bool
    or_scopes: tuple[str, ...] = ()

    def is_met(self, granted: Collection[str]) -> bool:
        """Whether this scope, or all of those that stand for it, are granted."""
        return self.scope in granted or (bool(self.or_scopes) and all(one in granted for one in self.or_scopes))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Needed against granted. ``removable`` are granted and needed by nothing; never ``oauth``.

    ``is_known`` False: HubSpot did not tell what is granted, so nothing else here says anything.
    """

    missing: tuple[Need, ...] = ()
    missing_optional: tuple[Need, ...] = ()
    removable: tuple[str, ...] = ()
    present: tuple[Need, ...] = ()
    is_known: bool = True

    @property
    def summary(self) -> str:
        """One sentence for staff."""
        if not self.is_known:
            return "HubSpot does not say which scopes this credential has; a missing one shows when it is needed."
        if self.missing:
            return "Missing: " + ", ".join(one.scope for one in self.missing) + "."
        return "All scopes that the mappings need are granted."


@dataclass(frozen=True, slots=True)
class _Ask:
    scope: str
    reason: str
    is_optional: bool = False
    or_scope: str = ""


@dataclass(slots=True)
class _Draft:
    reasons: set[str] = field(default_factory=set)
    or_scopes: set[str] = field(default_factory=set)
    is_optional: bool = True


def needed(uses: Iterable[Use], *, oauth: bool = False) -> tuple[Need, ...]:
    """The exact scopes of these mappings, sorted; ``oauth`` for an OAuth app, which always needs that one too."""
    drafts: dict[str, _Draft] = {}
    if oauth:
        drafts[OAUTH] = _Draft({"every OAuth app needs it"}, is_optional=False)
    for use in uses:
        for ask in map(_fold, _asks_of(use)):
            draft = drafts.setdefault(ask.scope, _Draft())
            draft.reasons.add(f"{use.mapping}: {ask.reason}")
            draft.or_scopes |= {ask.or_scope} - {""}
            draft.is_optional = draft.is_optional and ask.is_optional
    return tuple(
        Need(scope, tuple(sorted(one.reasons)), one.is_optional, tuple(sorted(one.or_scopes)))
        for scope, one in sorted(drafts.items())
    )


def to_create_properties(object_type: str) -> Need:
    """The scope that lets properties of an object type, and options of them, be created."""
    kind, what = _kind_of(object_type)
    ask = _fold(_Ask(f"crm.schemas.{kind}.write", f"creates properties of {what}"))
    return Need(ask.scope, (ask.reason,), False, tuple({ask.or_scope} - {""}))


def compare(needs: Iterable[Need], granted: Collection[str], *, known: bool = True) -> Comparison:
    """What is missing, present and too much; ``known`` False where HubSpot does not tell what is granted."""
    if not known:
        return Comparison(is_known=False)
    needs = tuple(needs)
    missing = [one for one in needs if not one.is_met(granted)]
    used = {OAUTH, *(scope for one in needs for scope in (one.scope, *one.or_scopes))}
    return Comparison(
        missing=tuple(one for one in missing if not one.is_optional),
        missing_optional=tuple(one for one in missing if one.is_optional),
        removable=tuple(sorted(one for one in set(granted) if used.isdisjoint({one, _coarse(one)}))),
        present=tuple(one for one in needs if one.is_met(granted)),
    )


def unlocked_by(scope: str) -> str:
    """What a scope lets crmsync do, in words that follow "It allows"."""
    if scope in _WORDS:
        return _WORDS[scope]
    found = _OBJECT_SCOPE.fullmatch(scope)
    if found is None:
        return "nothing that crmsync does"
    family, kind, sensitive, way = found.groups()
    what = "custom objects" if kind == "custom" else kind.replace("_", " ")
    if sensitive:
        return f"{'reading' if way == 'read' else 'writing'} the sensitive properties of {what}"
    if family == "schemas":
        return f"reading which properties {what} have" if way == "read" else f"creating properties of {what}"
    return f"{'reading' if way == 'read' else 'writing'} {what}"


def _asks_of(use: Use) -> Iterator[_Ask]:
    kind, what = _kind_of(use.object_type)
    if use.reads or use.writes:
        # The sync compares with what is there before it writes, so a write is never without a read.
        reason = f"reads {what}" if use.reads else f"reads {what} before it writes them"
        yield _Ask(f"crm.objects.{kind}.read", reason)
    if use.writes:
        yield _Ask(f"crm.objects.{kind}.write", f"writes {what}")
    if use.reads_schema:
        yield _Ask(f"crm.schemas.{kind}.read", f"reads which properties {what} have")
    yield from _asks_to_change_schema(use, kind, what)
    if use.sensitive:
        yield from _sensitive_asks(use, kind, what)
    for other in use.takes_from:
        yield from _asks_across(other, what)
    for other, is_written in use.associates:
        yield from _asks_associated(kind, what, other, is_written)
    yield from _feature_asks(use)


def _asks_to_change_schema(use: Use, kind: str, what: str) -> Iterator[_Ask]:
    scope = f"crm.schemas.{kind}.write"
    if use.creates_properties:
        yield _Ask(scope, f"creates properties of {what}", is_optional=True)
    if use.adds_options:
        yield _Ask(scope, f"adds options to properties of {what}", is_optional=True)
    if use.offers_properties:
        yield _Ask(scope, f"creates properties of {what} on its page “Create properties”", is_optional=True)


def _asks_across(other: str, what: str) -> Iterator[_Ask]:
    kind, others = _kind_of(other)
    yield _Ask(f"crm.objects.{kind}.read", f"takes values over from the {others} that its {what} are associated with")
    yield _Ask(f"crm.schemas.{kind}.read", f"reads which properties {others} have")


def _asks_associated(kind: str, what: str, other: str, is_written: bool) -> Iterator[_Ask]:
    """HubSpot: associations need the object scopes of both ends."""
    other_kind, others = _kind_of(other)
    yield _Ask(f"crm.objects.{other_kind}.read", f"reads which {others} its {what} are associated with")
    if is_written:
        for one in dict.fromkeys((kind, other_kind)):
            yield _Ask(f"crm.objects.{one}.write", f"associates {what} with {others}")


def _sensitive_asks(use: Use, kind: str, what: str) -> Iterator[_Ask]:
    for way, verb, wanted in (("read", "reads", use.reads or use.writes), ("write", "writes", use.writes)):
        if wanted:
            older = f"crm.objects.{kind}.sensitive.{way}"
            yield _Ask(f"{older}.v2", f"{verb} the sensitive properties of {what}", or_scope=older)


def _feature_asks(use: Use) -> Iterator[_Ask]:
    if use.uses_owners:
        yield _Ask(OWNERS, "links HubSpot's owners with users", is_optional=True)
    if use.streams_events:
        yield _Ask(TIMELINE, "shows events on the record's timeline", is_optional=True)
    if use.reads_emails:
        yield _Ask(EMAILS, "shows the text of e-mails", is_optional=True)


def _kind_of(object_type: str) -> tuple[str, str]:
    """The type's word in a scope, and its name in a sentence."""
    name = _NAMES.get(object_type, object_type)
    is_custom = name.startswith("2-") or re.match(r"p\d+_", name) is not None
    return ("custom", f"{name} records") if is_custom else (name, name.replace("_", " "))


def _fold(ask: _Ask) -> _Ask:
    """Tickets are asked for by their one scope; the parts it came to be split into then stand for it."""
    whole = _coarse(ask.scope)
    if whole == ask.scope:
        return ask
    part = ask.or_scope or ask.scope
    return _Ask(whole, ask.reason, ask.is_optional, "" if ask.is_optional else part)


def _coarse(scope: str) -> str:
    found = _OBJECT_SCOPE.fullmatch(scope)
    if found is None or found[2] != "tickets":
        return scope
    return _SENSITIVE_TICKETS if found[3] else TICKETS


_WORDS: Final = {
    OAUTH: "connecting at all",
    OWNERS: "user links: HubSpot's owners become users and the other way round",
    TIMELINE: "events on the timeline of a record",
    EMAILS: "the text of e-mails among a record's activities",
    TICKETS: "reading and writing tickets and their properties",
    _SENSITIVE_TICKETS: "reading and writing the sensitive properties of tickets",
}

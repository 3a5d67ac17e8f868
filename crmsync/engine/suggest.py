"""Suggestions: which Django field and which HubSpot property are likely a pair, with the reasons in words.

It ranks and never chooses: names, labels and types are hints, and a person ticks what is to be mapped.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from crmsync.engine import convert, terms

_LOCAL = terms.LocalType
_REMOTE = terms.RemoteType

# Below this two names share letters, not a meaning ("owner email" and "email" have 0.60).
LEAST_NAME: Final = 0.65
# A likeness of letters counts for less than the same words or a known synonym.
_FUZZY, _SYNONYM, _SHORTENED = 0.9, 0.94, 0.97
_NAME_SHARE: Final = 0.8  # the rest of the score is the type's fit

# Each line is one meaning; words are joined, as most HubSpot names are. Names are HubSpot's default properties.
_SYNONYMS: Final = (
    "firstname givenname forename",
    "lastname surname familyname",
    "email emailaddress mail",
    "phone phonenumber telephone tel mobile mobilephone mobilenumber cell",
    "company companyname organisation organization organisationname organizationname employer firm",
    "website websiteurl url homepage domain companydomainname web",
    "zip zipcode postalcode postcode plz",
    "address street streetaddress addressline1",
    "city town",
    "state stateregion region province county",
    "country countryregion nation",
    "jobtitle position role function",
    "birthdate dateofbirth birthday dob",
    "salutation title honorific",
    "amount value total price",
    "status stage",
    "leadsource source origin",
    "description notes note comment comments remarks details",
    "employees numberofemployees numemployees employeecount headcount staff",
    "annualrevenue revenue turnover",
    "closedate closeat closedat duedate",
    "createdate createdat created dateadded datejoined",
    "lastmodifieddate hslastmodifieddate updatedat modifiedat modified updated",
    "owner assignee accountmanager hubspotownerid",
    "industry sector branch",
)
# The type's own words say nothing about one of its properties: "dealname" is a deal's name.
_SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    "contacts": ("contact", "person", "lead"),
    "companies": ("company", "organisation", "organization"),
    "deals": ("deal", "opportunity"),
    "tickets": ("ticket",),
}
_EXACT: Final[dict[terms.LocalType, frozenset[terms.RemoteType]]] = {
    _LOCAL.TEXT: frozenset({_REMOTE.STRING, _REMOTE.PHONE_NUMBER}),
    _LOCAL.INTEGER: frozenset({_REMOTE.NUMBER}),
    _LOCAL.DECIMAL: frozenset({_REMOTE.NUMBER}),
    _LOCAL.FLOAT: frozenset({_REMOTE.NUMBER}),
    _LOCAL.BOOLEAN: frozenset({_REMOTE.BOOL}),
    _LOCAL.DATE: frozenset({_REMOTE.DATE}),
    _LOCAL.DATETIME: frozenset({_REMOTE.DATETIME}),
    _LOCAL.MULTI: frozenset({_REMOTE.CHECKBOXES}),
    _LOCAL.USER: frozenset({_REMOTE.OWNER}),
}
_FITS: Final = {"exact": 1.0, "possible": 0.6}


@dataclass(frozen=True, slots=True)
class LocalFact:
    """A Django field that may be mapped: ``path`` such as ``email`` or ``organisation__name``."""

    path: str
    label: str
    type: terms.LocalType
    has_choices: bool = False


@dataclass(frozen=True, slots=True)
class RemoteFact:
    """A discovered property that can be synced."""

    name: str
    label: str
    type: terms.RemoteType


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A likely pair; ``score`` is 0 to 1, ``reasons`` are short words such as "name 0.94" and "type exact"."""

    local: str
    remote: str
    score: float
    reasons: tuple[str, ...]


def rank(locals_: Iterable[LocalFact], remotes: Iterable[RemoteFact], object_type: str) -> tuple[Suggestion, ...]:
    """Every likely pair, the best first; a pair whose types cannot become each other is never among them."""
    subjects = _SUBJECTS.get(object_type, ())
    theirs = [(one, _Names(one.name, one.label, subjects)) for one in remotes]
    found = [
        suggestion
        for local in locals_
        for suggestion in _of_field(local, _Names(local.path, local.label, subjects), theirs)
    ]
    return tuple(sorted(found, key=lambda one: (-one.score, one.local, one.remote)))


def choose(ranked: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """The best pairs with each field and each property once, in the order they came."""
    ours: set[str] = set()
    theirs: set[str] = set()
    chosen = []
    for one in ranked:
        if one.local not in ours and one.remote not in theirs:
            ours.add(one.local)
            theirs.add(one.remote)
            chosen.append(one)
    return tuple(chosen)


class _Names:
    """The ways to say one name, each with how much it counts, and what they are known to mean."""

    __slots__ = ("forms", "matchers", "meanings", "whole")

    def __init__(self, name: str, label: str, subjects: Sequence[str]) -> None:
        self.forms = _forms(name, label, subjects)
        self.whole = tuple(form for form, weight in self.forms.items() if weight == 1.0)
        known = _meanings()
        self.meanings: dict[int, float] = {}
        for form, weight in self.forms.items():
            if form in known:
                self.meanings[known[form]] = max(weight, self.meanings.get(known[form], 0.0))
        # Made once for each name: difflib prepares its second sequence, and there may be a thousand properties.
        self.matchers = tuple(difflib.SequenceMatcher(None, "", form, autojunk=False) for form in self.whole)


def _of_field(local: LocalFact, ours: _Names, theirs: Sequence[tuple[RemoteFact, _Names]]) -> Iterator[Suggestion]:
    for remote, names in theirs:
        if not convert.is_possible(local.type, remote.type):
            continue
        likeness = _likeness(ours, names)
        if likeness >= LEAST_NAME:
            fit = _fit(local, remote.type)
            score = _NAME_SHARE * likeness + (1 - _NAME_SHARE) * _FITS[fit]
            yield Suggestion(local.path, remote.name, round(score, 4), (f"name {likeness:.2f}", f"type {fit}"))


def _fit(local: LocalFact, remote_type: terms.RemoteType) -> str:
    if local.type is _LOCAL.TEXT and local.has_choices:
        return "exact" if remote_type is _REMOTE.ENUMERATION else "possible"
    return "exact" if remote_type in _EXACT[local.type] else "possible"


def _likeness(ours: _Names, theirs: _Names) -> float:
    """0 to 1: the same words or the same meaning, else how many letters the names share in order."""
    same = [ours.forms[form] * theirs.forms[form] for form in ours.forms.keys() & theirs.forms.keys()]
    meant = [
        _SYNONYM * ours.meanings[one] * theirs.meanings[one] for one in ours.meanings.keys() & theirs.meanings.keys()
    ]
    return max([*same, *meant], default=0.0) or _FUZZY * _letters(ours, theirs)


def _letters(ours: _Names, theirs: _Names) -> float:
    best = 0.0
    for matcher in theirs.matchers:
        for one in ours.whole:
            matcher.set_seq1(one)
            # The two quick ones are upper bounds, and spare most pairs of a large portal the slow one.
            if _is_near(matcher.real_quick_ratio()) and _is_near(matcher.quick_ratio()):
                best = max(best, matcher.ratio())
    return best


def _is_near(ratio: float) -> bool:
    return ratio * _FUZZY >= LEAST_NAME


def _forms(name: str, label: str, subjects: Sequence[str]) -> dict[str, float]:
    """The ways to say a name, each with how much it counts: as it is, without its type's word, without "date"."""
    whole = dict.fromkeys(filter(None, (_joined(name), _joined(label))), 1.0)
    forms = dict(whole)
    for form in whole:
        for shorter in _shortened(form, subjects):
            forms.setdefault(shorter, _SHORTENED)
    return forms


def _shortened(form: str, subjects: Sequence[str]) -> Iterator[str]:
    for subject in subjects:
        if form.startswith(subject) and form != subject:
            yield form.removeprefix(subject)
    for ending in ("date", "at", "on"):
        # "at" ends many words: what is left must still be one.
        if form.endswith(ending) and len(form) - len(ending) >= 5:
            yield form.removesuffix(ending)


def _joined(name: str) -> str:
    """Letters and digits in lower case, without HubSpot's prefix and without what is in brackets."""
    bare = re.sub(r"\(.*?\)", "", name.lower()).removeprefix("hs_")
    return "".join(char for char in bare if char.isalnum())


@cache
def _meanings() -> dict[str, int]:
    return {word: number for number, line in enumerate(_SYNONYMS) for word in line.split()}

"""Provisioning: which property a Django field would have in HubSpot, and whether one that is there will do instead.

HubSpot: properties API, create a property. Nothing is created here: a decision says what would be.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from crmsync.engine import canonical, propertyname, terms

_LOCAL = terms.LocalType

# More choices than this are a list of values, which text holds as well and nobody picks from.
MAX_OPTIONS: Final = 1000
_MAX_LABEL: Final = 200
_LABELS: Final = {str(one): one.label for one in terms.RemoteType}
_BOOL_OPTIONS: Final = (("true", "Yes"), ("false", "No"))

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LocalFact:
    """A Django field as ``path``; ``choices`` are (value, label) in order, ``is_long``: text of many lines.

    ``source`` names it for people in HubSpot, such as demo.Person.birth_date.
    """

    path: str
    label: str
    type: terms.LocalType
    choices: Options = ()
    is_long: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A property as it would be created; ``options`` are (value, label) in order, ``is_owner``: it names an owner."""

    local: str
    name: str
    label: str
    type: str
    field_type: str
    group: str
    options: Options = ()
    is_owner: bool = False
    source: str = ""

    @property
    def kind(self) -> str:
        """What it holds, in words."""
        return _kind(self.type, self.field_type, is_owner=self.is_owner)


@dataclass(frozen=True, slots=True)
class Present:
    """A property that HubSpot has; ``options`` are its values. ``is_ours``: this installation made it."""

    name: str
    type: str
    field_type: str
    options: frozenset[str] = frozenset()
    is_owner: bool = False
    is_read_only: bool = False
    is_archived: bool = False
    is_ours: bool = False

    @property
    def kind(self) -> str:
        """What it holds, in words."""
        return _kind(self.type, self.field_type, is_owner=self.is_owner)


class Step(terms.Term):
    """What becomes of one field's property."""

    CREATE = "create", "will be created"
    USE = "use", "exists and is used"
    EXTEND = "extend", "exists; options are added"
    REFUSE = "refuse", "cannot be created"


@dataclass(frozen=True, slots=True)
class Decision:
    """``why`` and ``other_name`` (free, to be taken instead) where it is refused; ``added``: options to be added."""

    draft: Draft
    step: Step
    why: str = ""
    other_name: str = ""
    added: Options = ()


# --- The property of a field --------------------------------------------------------------------------------------


def make_draft(one: LocalFact, *, name: str, group: str) -> Draft:
    """The property that holds all values of a field."""
    kind, field_type, options = _shape(one)
    return Draft(
        local=one.path,
        name=name,
        label=_label(one),
        type=kind,
        field_type=field_type,
        group=propertyname.group_name(group),
        options=options,
        is_owner=one.type is _LOCAL.USER,
        source=one.source,
    )


def _label(one: LocalFact) -> str:
    text = " ".join((one.label or one.path.replace("__", " ").replace("_", " ")).split())
    return (text[:1].upper() + text[1:])[:_MAX_LABEL]


def _shape(one: LocalFact) -> tuple[str, str, Options]:
    """(type, field type, options); HubSpot: properties API, which of them go together."""
    if one.type is _LOCAL.BOOLEAN:
        return "bool", "booleancheckbox", _BOOL_OPTIONS
    options = _options(one)
    if one.type is _LOCAL.MULTI and options:
        return "enumeration", "checkbox", options
    if one.type in (_LOCAL.TEXT, _LOCAL.INTEGER) and options:
        return "enumeration", "select", options
    if one.type is _LOCAL.TEXT and one.is_long:
        return "string", "textarea", ()
    return *_SHAPES[one.type], ()


_SHAPES: Final[dict[terms.LocalType, tuple[str, str]]] = {
    _LOCAL.TEXT: ("string", "text"),
    _LOCAL.INTEGER: ("number", "number"),
    _LOCAL.DECIMAL: ("number", "number"),
    _LOCAL.FLOAT: ("number", "number"),
    _LOCAL.DATE: ("date", "date"),
    _LOCAL.DATETIME: ("datetime", "date"),
    _LOCAL.MULTI: ("string", "textarea"),  # without choices: what is in it cannot be listed
    _LOCAL.USER: ("enumeration", "select"),
}


def _options(one: LocalFact) -> Options:
    """The choices as options; none where HubSpot could not hold every one of them as it is.

    HubSpot refuses two options of one label, so that a second one gets its value behind it.
    """
    choices = dict(reversed([(value, label) for value, label in one.choices if value]))
    ordered = [(value, choices[value]) for value in dict.fromkeys(value for value, _ in one.choices if value)]
    if len(ordered) > MAX_OPTIONS or any(_is_awkward(value) for value, _ in ordered):
        return ()
    labels: set[str] = set()
    found = []
    for value, text in ordered:
        label = " ".join(text.split()) or value
        label = label if label.lower() not in labels else f"{label} ({value})"
        labels.add(label.lower())
        found.append((value, label))
    return tuple(found)


def _is_awkward(value: str) -> bool:
    """HubSpot separates options by semicolons, and outer blanks may be lost."""
    return canonical.SEPARATOR in value or value != value.strip()


def _kind(type_: str, field_type: str, *, is_owner: bool) -> str:
    if is_owner:
        return terms.RemoteType.OWNER.label
    if type_ == "enumeration" and field_type == "checkbox":
        return terms.RemoteType.CHECKBOXES.label
    return _LABELS.get(type_, type_)


# --- What is there already ----------------------------------------------------------------------------------------


def decide(drafts: Iterable[Draft], present: Mapping[str, Present], taken: Mapping[str, str]) -> tuple[Decision, ...]:
    """What becomes of each draft. ``taken``: names that a field of the mapping is joined with already -> the field.

    Options are added only to what this installation made; what others made is used or refused, never changed.
    """
    names = {**taken}
    found = []
    for draft in drafts:
        found.append(_decide(draft, present, names))
        names[draft.name] = draft.local
    return tuple(found)


def _decide(draft: Draft, present: Mapping[str, Present], taken: Mapping[str, str]) -> Decision:
    there = present.get(draft.name)
    if why := propertyname.find_fault(draft.name):
        other = propertyname.make_name(draft.name)
        return Decision(draft, Step.REFUSE, why, propertyname.free_name(other, {*present, *taken}))
    if (local := taken.get(draft.name, draft.local)) != draft.local:
        return _refuse(draft, f"“{local}” is joined with “{draft.name}” already.", present, taken)
    if there is None:
        return Decision(draft, Step.CREATE)
    if why := find_difference(draft, there):
        return _refuse(draft, why, present, taken)
    missing = missing_options(draft, there)
    if missing and there.is_ours:
        return Decision(draft, Step.EXTEND, added=missing)
    if missing:
        return _refuse(draft, _lacks(draft, missing), present, taken)
    return Decision(draft, Step.USE)


def _refuse(draft: Draft, why: str, present: Mapping[str, Present], taken: Collection[str]) -> Decision:
    return Decision(draft, Step.REFUSE, why, propertyname.free_name(draft.name, {draft.name, *present, *taken}))


def find_difference(draft: Draft, there: Present) -> str:
    """Why a property that is there cannot be used for a draft, "" if it can, whatever its options."""
    if there.is_archived:
        return (
            f"“{there.name}” is archived in HubSpot. Restore it there and press “Refresh fields”, or take another"
            " name."
        )
    if there.kind != draft.kind:
        return (
            f"“{there.name}” is in HubSpot already and holds {there.kind}, but this field needs {draft.kind}."
            " Take another name."
        )
    if there.is_read_only:
        return f"“{there.name}” is in HubSpot already, and HubSpot lets nobody write it. Take another name."
    return ""


def missing_options(draft: Draft, there: Present) -> Options:
    """The options of a draft that the property does not have, in order."""
    return tuple(one for one in draft.options if one[0] not in there.options)


def _lacks(draft: Draft, missing: Options) -> str:
    names = ", ".join(value for value, _ in missing[:10]) + (" …" if len(missing) > 10 else "")
    return (
        f"“{draft.name}” is in HubSpot already and lacks the options {names}. crmsync did not make"
        " it and leaves it as it is: add them in HubSpot, or take another name."
    )

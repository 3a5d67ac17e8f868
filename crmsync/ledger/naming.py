"""Naming: what has an id in one portal only, by the name that means the same in others, and back."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from django.contrib.auth import get_user_model

from crmsync import adapters
from crmsync.engine import canonical, config, objecttypes, terms
from crmsync.ledger import book, specs
from crmsync.models import Portal, RemoteObjectType, RemotePipeline, RemoteProperty, UserLink

Kind = config.NameKind
# HubSpot: pipelines; the values of these properties are ids of pipelines and of their stages.
_KINDS = {
    "pipeline": Kind.PIPELINE,
    "hs_pipeline": Kind.PIPELINE,
    "dealstage": Kind.STAGE,
    "hs_pipeline_stage": Kind.STAGE,
}
_SEVERAL = {terms.Operator.IN, terms.Operator.NOT_IN}
_NAMED = {terms.Operator.EQUALS, terms.Operator.NOT_EQUALS, *_SEVERAL}
_REFRESH = "Correct the file, or add it in HubSpot and press “Refresh fields” (crmsync_discover)."


class NamingError(Exception):
    """A name that this portal does not have, or has more than once: one sentence with the remedy."""


class Names:
    """The names of one portal, each list read when it is first asked for."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self._properties: dict[str, dict[str, RemoteProperty]] = {}

    # --- Object types and properties ----------------------------------------------------------------------------

    @cached_property
    def _custom(self) -> dict[str, str]:
        """Custom object types of the portal: id -> name."""
        return dict(RemoteObjectType.objects.filter(portal=self.portal).values_list("object_type", "name"))

    def name_type(self, object_type: str) -> str:
        """The name of an object type; of one that was not discovered its id stays."""
        return self._custom.get(object_type, object_type)

    def find_type(self, name: str) -> str:
        """The id of an object type; NamingError where this portal has none of the name, or it is not supported."""
        if name in objecttypes.STANDARD or name in self._custom:
            return name
        if objecttypes.is_supported(name) and self.properties(name):
            return name
        found = [key for key, known in self._custom.items() if known == name]
        if len(found) == 1:
            return found[0]
        if name in objecttypes.UNSUPPORTED:
            raise NamingError(objecttypes.refuse(name))
        known = ", ".join([*objecttypes.STANDARD, *sorted(set(self._custom.values()))])
        raise NamingError(f"The portal has no object type “{name}”. Known are: {known}. {_REFRESH}")

    def properties(self, object_type: str) -> dict[str, RemoteProperty]:
        """The discovered properties of a type by name, archived ones too."""
        if object_type not in self._properties:
            rows = RemoteProperty.objects.filter(portal=self.portal, object_type=object_type)
            self._properties[object_type] = {row.name: row for row in rows.defer("description")}
        return self._properties[object_type]

    # --- Which values go by name ----------------------------------------------------------------------------------

    def remote_kind(self, object_type: str, name: str) -> Kind | None:
        """What the values of a property name, if they are ids."""
        if name in _KINDS:
            return _KINDS[name]
        row = self.properties(object_type).get(name) or RemoteProperty(name=name, type="string")
        try:
            return Kind.OWNER if book.remote_type(row) is terms.RemoteType.OWNER else None
        except specs.SpecError:
            return None

    def local_kind(self, adapter: adapters.LocalAdapter | None, path: str) -> Kind | None:
        """Whether a local path holds users."""
        try:
            is_user = adapter is not None and adapter.describe(path).local_type is terms.LocalType.USER
        except adapters.LocalFieldError:
            return None
        return Kind.USER if is_user else None

    # --- Values -----------------------------------------------------------------------------------------------------

    def to_value(self, kind: Kind | None, object_type: str, text: str) -> config.Value:
        """An id by name. Where no name leads back to it, it stays an id and says so."""
        if kind is None or not text:
            return text
        named = self._table(kind, object_type).get(text)
        ids = self._ids(kind, object_type)[_fold(named)] if named else []
        return named if named and ids == [text] else config.Named(Kind.ID, text)

    def to_id(self, kind: Kind | None, object_type: str, value: config.Value) -> str:
        """The id of a value in this portal; NamingError where there is none, or more than one."""
        if isinstance(value, str):
            if kind is None or not value or value in self._table(kind, object_type):
                return value
            raise NamingError(f"“{value}” is no {kind.label} of this portal. {self._known(kind, object_type)}")
        if value.kind is Kind.ID:
            return value.name
        if kind is not value.kind:
            wanted = _a(kind) if kind else "a plain text"
            raise NamingError(f"This names {_a(value.kind)}, but {wanted} is wanted here. Correct the file.")
        found = self._ids(kind, object_type)[_fold(value)]
        if not found:
            raise NamingError(f"The portal has no {_words(value)}. {self._known(kind, object_type)}")
        if len(found) > 1:
            raise NamingError(f'The portal has {len(found)} of the {_words(value)}. Name the one with {{"id": …}}.')
        return found[0]

    def to_values(self, kind: Kind | None, object_type: str, operator: terms.Operator, text: str) -> config.Values:
        """The value of a condition."""
        if kind is None or operator not in _NAMED or not text:
            return text
        if operator not in _SEVERAL:
            return self.to_value(kind, object_type, text)
        parts = [one.strip() for one in canonical.split_choices(text) if one.strip()]
        return tuple(self.to_value(kind, object_type, one) for one in parts)

    def to_text(self, kind: Kind | None, object_type: str, operator: terms.Operator, value: config.Values) -> str:
        """The value of a condition as its row holds it; NamingError as ``to_id``."""
        if isinstance(value, tuple):
            if operator not in _SEVERAL:
                raise NamingError(f"A list is possible only with {' and '.join(sorted(_SEVERAL))}. Correct the file.")
            found = ";".join(self.to_id(kind, object_type, one) for one in value)
        elif operator in _SEVERAL and isinstance(value, str) and kind is not None:
            parts = [one.strip() for one in canonical.split_choices(value) if one.strip()]
            found = ";".join(self.to_id(kind, object_type, one) for one in parts)
        else:
            found = self.to_id(kind if operator in _NAMED else None, object_type, value)
        if len(found) > 500:
            raise NamingError("The condition becomes longer than 500 characters. Make two rules of it.")
        return found

    # --- The lists --------------------------------------------------------------------------------------------------

    def _table(self, kind: Kind, object_type: str) -> dict[str, config.Named]:
        """Id -> name."""
        if kind is Kind.OWNER:
            return self._owners
        return self._users if kind is Kind.USER else self._pipelines[kind, object_type]

    def _ids(self, kind: Kind, object_type: str) -> defaultdict[config.Named, list[str]]:
        """Name -> the ids it may mean. An owner who left gives way to one who is there."""
        found: defaultdict[config.Named, list[str]] = defaultdict(list)
        for key, named in self._table(kind, object_type).items():
            if kind is Kind.OWNER and key in self._archived and found[_fold(named)]:
                continue
            found[_fold(named)].append(key)
        return found

    def _known(self, kind: Kind, object_type: str) -> str:
        names = sorted({_words(one) for one in self._table(kind, object_type).values()})
        if kind is Kind.USER:
            return "Correct the file, or add the user."
        shown = f"Known are: {'; '.join(names[:20])}{' …' if len(names) > 20 else ''}. " if names else ""
        return shown + _REFRESH

    @cached_property
    def _pipelines(self) -> defaultdict[tuple[Kind, str], dict[str, config.Named]]:
        found: defaultdict[tuple[Kind, str], dict[str, config.Named]] = defaultdict(dict)
        for row in RemotePipeline.objects.filter(portal=self.portal).order_by("pipeline_id"):
            if row.label:
                found[Kind.PIPELINE, row.object_type][row.pipeline_id] = config.Named(Kind.PIPELINE, row.label)
            for key, label in row.stages:
                if row.label and label:
                    found[Kind.STAGE, row.object_type][key] = config.Named(Kind.STAGE, label, row.label)
        return found

    @cached_property
    def _owner_rows(self) -> list[tuple[str, str, bool]]:
        rows = UserLink.objects.filter(portal=self.portal).exclude(email="").order_by("is_archived", "owner_id")
        return list(rows.values_list("owner_id", "email", "is_archived"))

    @cached_property
    def _owners(self) -> dict[str, config.Named]:
        return {key: config.Named(Kind.OWNER, email) for key, email, _ in self._owner_rows}

    @cached_property
    def _archived(self) -> set[str]:
        return {key for key, _, is_archived in self._owner_rows if is_archived}

    @cached_property
    def _users(self) -> dict[str, config.Named]:
        user = get_user_model()
        rows = user._default_manager.order_by("pk").values_list("pk", user.USERNAME_FIELD)
        return {str(pk): config.Named(Kind.USER, str(name)) for pk, name in rows.iterator()}


def _fold(named: config.Named) -> config.Named:
    """E-mail addresses are the same in any letter case."""
    return config.Named(named.kind, named.name.lower()) if named.kind is Kind.OWNER else named


def _a(kind: Kind) -> str:
    return f"{'an' if kind is Kind.OWNER else 'a'} {kind.label}"


def _words(named: config.Named) -> str:
    where = f" in the pipeline “{named.pipeline}”" if named.pipeline else ""
    return f"{named.kind.label} “{named.name}”{where}"


def find_ids(values: Iterable[config.Values]) -> list[str]:
    """Ids among values: what no name was found for."""
    flat = (each for one in values for each in (one if isinstance(one, tuple) else (one,)))
    return [one.name for one in flat if isinstance(one, config.Named) and one.kind is Kind.ID]

"""Proposes HubSpot properties for the fields of a mapping that no row joins yet; nothing is called or written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from crmsync import adapters, conf
from crmsync.engine import propertyname, provisioning, terms
from crmsync.flows import environment, suggest
from crmsync.ledger import specs
from crmsync.models import FieldMapping, RemoteProperty
from crmsync.models import Mapping as MappingRow

SHOWN: Final = 300  # Django refuses a form of more than 1000 inputs; a row has three


class ProposalError(Exception):
    """Why a field cannot get a property: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What could be done for one field. ``section`` is the relation it is behind, "" for the model's own fields;
    ``is_mapped``: a row joins it already, and only options are missing."""

    decision: provisioning.Decision
    local_type: terms.LocalType
    section: str = ""
    is_mapped: bool = False


@dataclass(frozen=True, slots=True)
class Offers:
    """``sections`` are all there are; ``more`` is how many offers were left out."""

    rows: tuple[Offer, ...]
    sections: tuple[str, ...]
    more: int = 0


class Book:
    """The fields of a mapping's model and the rows that join some of them, read once. SpecError where the model is
    not usable."""

    def __init__(self, mapping: MappingRow) -> None:
        self.mapping = mapping
        self.adapter = specs.adapter_of(mapping)
        self.fields = {one.path: one for one in _fields(self.adapter)}
        rows = FieldMapping.objects.filter(mapping=mapping, is_active=True).prefetch_related("value_map")
        self.rows = {(row.local, row.remote): row for row in rows}
        self.joined = dict(self.rows.keys())
        self.taken = {remote: local for local, remote in self.rows}

    def decide(
        self, wanted: Mapping[str, str], present: Mapping[str, provisioning.Present]
    ) -> tuple[provisioning.Decision, ...]:
        """What becomes of each wanted field -> the property's name, "" for the one it has or would get."""
        drafts = [
            make_draft(self.adapter, self._field(path), self._name(path, name)) for path, name in wanted.items()
        ]
        settled = {one.local: self._settle(one, present.get(one.name)) for one in drafts}
        new = [one for one in drafts if settled[one.local] is None]
        decided = {one.draft.local: one for one in provisioning.decide(new, present, self.taken)}
        return tuple(settled[one.local] or decided[one.local] for one in drafts)

    def _name(self, path: str, name: str) -> str:
        return name or self.joined.get(path) or default_name(self.adapter, path)

    def _field(self, path: str) -> adapters.LocalField:
        try:
            return self.fields.get(path) or self.adapter.describe(path)
        except adapters.LocalFieldError as error:
            raise ProposalError(str(error)) from error

    def _settle(self, draft: provisioning.Draft, there: provisioning.Present | None) -> provisioning.Decision | None:
        """What a row joins already stays as it is; only a list of options that we made may grow."""
        row = self.rows.get((draft.local, draft.name))
        if row is None or there is None or (there.is_ours and not row.value_map.all()):
            return None
        return provisioning.Decision(draft, provisioning.Step.USE)


def find(mapping: MappingRow, *, query: str = "", section: str | None = None, most: int | None = None) -> Offers:
    """The fields that no active row joins, and those whose new choices are no options yet, by what was discovered.

    ``query``: all its words are in the field's path, label or proposed name; ``section`` None: all of them.
    ``most`` offers are given, as many as a page can show unless told otherwise.
    """
    book, present = Book(mapping), discovered(mapping)
    decisions = book.decide(dict.fromkeys(book.fields, ""), present)
    offers = [_offer(one, book) for one in decisions]
    open_ = [one for one in offers if not one.is_mapped or one.decision.step is provisioning.Step.EXTEND]
    wanted = [one for one in open_ if _is_wanted(one, query, section)]
    most = SHOWN if most is None else most
    return Offers(tuple(wanted[:most]), tuple(dict.fromkeys(one.section for one in open_)), len(wanted[most:]))


def discovered(mapping: MappingRow) -> dict[str, provisioning.Present]:
    """The properties of the mapping's object type as last discovered, archived ones too."""
    rows = RemoteProperty.objects.filter(portal=mapping.portal_id, object_type=mapping.object_type)
    return {row.name: _present(row) for row in rows}


def make_draft(adapter: adapters.LocalAdapter, field: adapters.LocalField, name: str) -> provisioning.Draft:
    """The property of a described field, in the group of the settings."""
    return provisioning.make_draft(_fact(adapter, field), name=name, group=conf.current().PROPERTY_GROUP)


def default_name(adapter: adapters.LocalAdapter, path: str) -> str:
    """What its property is called: the prefix of the settings, the model, the field."""
    prefix = conf.current().PROPERTY_PREFIX
    return propertyname.make_name(path, prefix=prefix, infix=adapter.model._meta.model_name or "")


def _offer(one: provisioning.Decision, book: Book) -> Offer:
    path = one.draft.local
    return Offer(one, book.fields[path].local_type, _section(path), path in book.joined)


def _section(path: str) -> str:
    return path.rpartition("__")[0]


def _fields(adapter: adapters.LocalAdapter) -> list[adapters.LocalField]:
    """What can be suggested, computed values and roll-ups; each section in one piece."""
    found = [*suggest.iter_fields(adapter), *_derived(adapter)]
    order = list(dict.fromkeys(_section(one.path) for one in found))
    return sorted(found, key=lambda one: order.index(_section(one.path)))


def _derived(adapter: adapters.LocalAdapter) -> Iterator[adapters.LocalField]:
    for path in adapter.more_paths():
        try:
            field = adapter.describe(path)
        except adapters.LocalFieldError:
            continue
        if field.local_type is not terms.LocalType.MULTI:  # the options of a category are rows, which change
            yield field


def _is_wanted(one: Offer, query: str, section: str | None) -> bool:
    draft = one.decision.draft
    text = f"{draft.local} {draft.label} {draft.name}".lower()
    return section in (None, one.section) and all(word in text for word in query.lower().split())


def _present(row: RemoteProperty) -> provisioning.Present:
    return provisioning.Present(
        name=row.name,
        type=row.type,
        field_type=row.field_type,
        options=frozenset(option[0] for option in row.options),
        is_owner=row.name == "hubspot_owner_id" or row.referenced_object_type == "OWNER",
        is_read_only=row.is_read_only,
        is_archived=row.is_archived,
        is_ours=is_ours(row.description),
    )


def is_ours(description: str) -> bool:
    """Whether this installation made the property that is described so."""
    return environment.mark(description) == description


# --- Fields as Django knows them ----------------------------------------------------------------------------------


def _fact(adapter: adapters.LocalAdapter, local: adapters.LocalField) -> provisioning.LocalFact:
    fields = list(_walk(adapter, local.path))
    last = fields[-1] if fields else None
    return provisioning.LocalFact(
        path=local.path,
        label=" ".join(str(one.verbose_name) for one in fields),
        type=local.local_type,
        choices=tuple(_choices(local, last)),
        is_long=isinstance(last, models.TextField),
        source=f"{adapter.model._meta.label}.{local.path}",
    )


def _walk(adapter: adapters.LocalAdapter, path: str) -> Iterable[models.Field]:
    """The fields along a path; none where it is computed and not a chain of columns."""
    model, fields = adapter.model, []
    for name in path.split("__"):
        try:
            field = model._meta.get_field(name)
        except (FieldDoesNotExist, AttributeError):
            return []
        if not hasattr(field, "verbose_name"):  # a reverse relation
            return []
        fields.append(field)
        model = field.related_model
    return fields


def _choices(local: adapters.LocalField, field: models.Field | None) -> Iterator[tuple[str, str]]:
    """In the field's own order; those that an adapter gives have none but the alphabet."""
    if not local.choices:
        return
    listed = [(str(value), str(label)) for value, label in getattr(field, "flatchoices", ()) if value is not None]
    if {value for value, _ in listed} >= local.choices - {"None"}:
        yield from listed
    else:
        yield from ((value, value) for value in sorted(local.choices))

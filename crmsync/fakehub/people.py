"""What people do in HubSpot's own user interface: the same records, signed CRM_UI and a user's id."""

from typing import Any

from crmsync.fakehub import drafts, errors, portal, records, store

UI = "CRM_UI"


class NotAllowedError(ValueError):
    """The user interface would not have let this through; the sentence is the API's."""


class People:
    """Edits of one portal by user ``user_id``; ids go in and out as texts."""

    def __init__(self, home: portal.Portal, held: store.Store, user_id: int) -> None:
        self._portal = home
        self._store = held
        self._desk = drafts.Desk(home, held, ui=True)
        self.source = records.Source(UI, f"userId:{user_id}", "", user_id)

    def create(self, type_name: str, props: dict[str, str]) -> records.Record:
        kind = self._portal.kind(type_name)
        return self._store.create(kind, self._try(self._desk.create, kind, props), self.source)

    def update(self, type_name: str, record_id: str, props: dict[str, str]) -> bool:
        record = self.find(type_name, record_id)
        return self._store.update(record, self._try(self._desk.update, record, props), self.source)

    def archive(self, type_name: str, record_id: str) -> None:
        self._store.archive(self.find(type_name, record_id), self.source)

    def restore(self, type_name: str, record_id: str) -> None:
        """Refused while another record has one of its unique values."""
        record = self.find(type_name, record_id, archived=True)
        for name in self._portal.unique_names(record.kind):
            for value in store.unique_values(name, record.props):
                holder = self._store.holder(record.kind, name, value)
                if holder is not None:
                    raise NotAllowedError(f"{holder.id} already has that value.")
        self._store.restore(record, self.source)

    def merge(self, type_name: str, primary: str, other: str) -> records.Record:
        kept, gone = self.find(type_name, primary), self.find(type_name, other)
        if kept is gone:
            raise NotAllowedError("Cannot merge an object with itself")
        return self._store.merge(kept, gone, self.source)

    def find(self, type_name: str, record_id: str, *, archived: bool = False) -> records.Record:
        kind = self._portal.kind(type_name)
        record = self._store.get(kind, int(record_id)) if str(record_id).isdecimal() else None
        if record is None or (record.archived_at is not None) is not archived:
            raise NotAllowedError(f"{kind.loud} {record_id} is not there")
        return record

    def _try(self, draft: Any, *facts: Any) -> drafts.Draft:
        try:
            made: drafts.Draft = draft(*facts)
        except errors.RefusalError as refusal:
            raise NotAllowedError(refusal.message) from refusal
        return made

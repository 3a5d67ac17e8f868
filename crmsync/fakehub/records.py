"""One CRM record: its values, who set them when, and how it is written out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from crmsync.fakehub import clock, exchange, objecttypes

NOTHING: Mapping[str, Any] = MappingProxyType({})  # shared by all records that were never changed


class Source(NamedTuple):
    """Who changed something: a person in the UI, or an app through the API."""

    change: str  # changeSource of webhooks and sourceType of history: CRM_UI, INTEGRATION, MERGE_OBJECTS
    id: str  # "userId:99" or the app's id
    label: str = ""
    user: int | None = None


class Setting(NamedTuple):
    """A value a property had: the text ("" after clearing), when and by whom."""

    value: str
    at: int
    source: Source


class Record:
    """``props`` is replaced, never changed, by each write, so that the search index can keep the old one."""

    __slots__ = ("_shown", "archived_at", "born", "id", "kind", "older", "props", "settings")

    def __init__(self, kind: objecttypes.ObjectType, number: int, props: dict[str, str], born: Setting) -> None:
        self.kind = kind
        self.id = number
        self.props = props
        self.born = born
        self.settings: Mapping[str, Setting] = NOTHING  # the newest one of what was written after the create
        self.older: Mapping[str, list[Setting]] = NOTHING
        self.archived_at: int | None = None
        self._shown: tuple[Any, ...] = ()

    @property
    def modified_ms(self) -> int:
        return clock.to_ms(self.props[self.kind.modified])

    def write(self, values: dict[str, str], at: int, source: Source) -> None:
        """Set ``values`` ("" clears) and remember what they replaced."""
        props, settings, older = dict(self.props), dict(self.settings), dict(self.older)
        for name, value in values.items():
            replaced = self._setting(name)
            if replaced is not None:
                older[name] = [*older.get(name, ()), replaced]
            settings[name] = Setting(value, at, source)
            if value:
                props[name] = value
            else:
                props.pop(name, None)
        self.props, self.settings, self.older = props, settings, older

    def touch(self, at: int) -> None:
        """Move the modified date; it keeps no history."""
        self.props = {**self.props, self.kind.modified: clock.iso(at)}

    def _setting(self, name: str) -> Setting | None:
        """Who gave a property the value it has, and when; None if it never had one."""
        if name in self.settings:
            return self.settings[name]
        return self.born._replace(value=self.props[name]) if name in self.props else None

    def history(self, name: str) -> list[dict[str, Any]]:
        """All values of one property, newest first."""
        newest = self._setting(name)
        settings = [*self.older.get(name, ()), *([] if newest is None else [newest])]
        return [_show_setting(setting) for setting in reversed(settings)]

    def document(self, names: tuple[str, ...], props: dict[str, str] | None = None) -> dict[str, Any]:
        """The record as the object API shows it; ``props`` are older values, as search may have them."""
        held = self.props if props is None else props
        out = {
            "id": str(self.id),
            "properties": {name: held.get(name) for name in names},
            "createdAt": held[self.kind.created],
            "updatedAt": held[self.kind.modified],
            "archived": self.archived_at is not None,
        }
        if self.archived_at is not None:
            out["archivedAt"] = clock.iso(self.archived_at)
        return out

    def text(self, names: tuple[str, ...], props: dict[str, str] | None = None, *, keep: bool = True) -> str:
        """``document`` as JSON; the last one is kept, because listings ask for the same again and again."""
        held = self.props if props is None else props
        shown = self._shown
        if shown and shown[0] is names and shown[1] is held and shown[2] == self.archived_at:
            return str(shown[3])
        text = exchange.encode(self.document(names, held))
        if keep:
            self._shown = (names, held, self.archived_at, text)
        return text


def _show_setting(setting: Setting) -> dict[str, Any]:
    out: dict[str, Any] = {
        "value": setting.value,
        "timestamp": clock.iso(setting.at),
        "sourceType": setting.source.change,
        "sourceId": setting.source.id,
    }
    if setting.source.label:
        out["sourceLabel"] = setting.source.label
    if setting.source.user is not None:
        out["updatedByUserId"] = setting.source.user
    return out

"""Parts of a portal as plain JSON values, and back."""

from typing import Any

from crmsync.fakehub import associationtypes, definitions, objecttypes, records, store

FLAGS = (
    "name", "account_type", "time_zone", "currency", "preserve_primary_id", "merged_ids_resolve", "partial_updates",
    "associate_by_domain", "lacks_scopes", "closed", "allowances",
)  # fmt: skip
WEBHOOKS = ("target", "secret", "window", "duplicate", "copies", "reorder", "lose", "spacing", "max_spacing")


def dump_record(record: records.Record) -> list[Any]:
    return [
        record.kind.id,
        record.id,
        record.props,
        record.archived_at,
        record.born,
        dict(record.settings),
        dict(record.older),
    ]


def load_record(
    hub: Any, kind_id: str, number: int, props: dict[str, str], archived_at: int | None, *past: Any
) -> None:
    kind = hub.portal.kinds[kind_id]
    table: store.Table = hub.store.table(kind)
    born, settings, older = past
    record = records.Record(kind, number, props, _setting(born))
    record.archived_at = archived_at
    record.settings = {name: _setting(one) for name, one in settings.items()}
    record.older = {name: [_setting(one) for one in many] for name, many in older.items()}
    if number in table.records:
        hub.store.drop(table.records[number])
    table.records[number] = record
    table.move(number, [], table.live if archived_at is None else table.archived)
    table.last_id = max(table.last_id, number)
    if archived_at is None:
        hub.store.occupy(record)


def _setting(given: list[Any]) -> records.Setting:
    value, at, source = given
    return records.Setting(value, at, records.Source(*source))


def load_gone(hub: Any, kind_id: str, number: int, survivor: int | None) -> None:
    table: store.Table = hub.store.table(hub.portal.kinds[kind_id])
    old = table.records.get(number)
    if old is not None:
        hub.store.drop(old)
    for target, other, _ in hub.store.graph.neighbours(kind_id, number):
        hub.store.graph.set((kind_id, number, target, other), ())
    table.last_id = max(table.last_id, number)
    if survivor is not None:
        table.aliases[number] = survivor


def load_edge(hub: Any, source: str, number: int, target: str, other: int, types: list[int]) -> None:
    hub.store.graph.set((source, number, target, other), tuple(types))


def index_all(hub: Any) -> None:
    """Let search see every live record at once."""
    for table in hub.store.tables.values():
        for number in table.live:
            record = table.records[number]
            hub.index.watch(store.Change("planted", record, record.modified_ms, record.born.source))
    hub.index.settle(everything=True)


def dump_settings(hub: Any) -> dict[str, Any]:
    """Flags of the portal and the webhook configuration."""
    return {
        "flags": {name: getattr(hub.portal, name) for name in FLAGS},
        "webhooks": {name: getattr(hub.webhooks, name) for name in WEBHOOKS},
        "app_id": hub.webhooks.announcer.app_id,
        "subscriptions": hub.webhooks.announcer.subscriptions,
    }


def dump_portal(home: Any) -> dict[str, Any]:
    return {
        "id": home.id,
        "custom": [[kind.id, kind.singular, kind.schema] for kind in home.kinds.values() if kind.is_custom],
        "types": [list(row) for row in home.catalogue.rows if row.category == associationtypes.USER],
        "properties": {kind_id: [prop.data for prop in held.values()] for kind_id, held in home.properties.items()},
        "groups": home.groups,
        "pipelines": home.pipelines,
        "owners": home.owners,
        "rules": home.rules,
        "blocked": sorted(home.blocked_emails),
    }


def load_portal(hub: Any, held: dict[str, Any], settings: dict[str, Any]) -> None:
    home = hub.portal
    home.id = held["id"]
    for kind_id, name, schema in held["custom"]:
        if kind_id not in home.kinds:
            home.add_kind(objecttypes.make_custom(int(kind_id[2:]), name, home.id, schema))
    known = {tuple(row) for row in home.catalogue.rows}
    for row in held["types"]:
        if tuple(row) not in known:
            home.catalogue.add(associationtypes.AssociationType(*row))
    home.properties = {
        kind_id: {data["name"]: definitions.Property(data) for data in many}
        for kind_id, many in held["properties"].items()
    }
    for name in ("groups", "pipelines", "owners", "rules"):
        setattr(home, name, held[name])
    home.blocked_emails = set(held["blocked"])
    _load_settings(hub, settings)
    home.changed()


def _load_settings(hub: Any, settings: dict[str, Any]) -> None:
    for name, value in settings["flags"].items():
        setattr(hub.portal, name, value)
    hub.webhooks.configure(**settings["webhooks"], app_id=settings["app_id"], subscriptions=settings["subscriptions"])

"""Owners: the people and queues a record can be assigned to. HubSpot: owners API (read-only)."""

from collections.abc import Iterator

from crmsync.hubspot import shapes, types, wire

PAGE_SIZE = 100  # HubSpot: owners API, default; the most is not documented


def iter_all(client: wire.Sender, archived: bool | None = None) -> Iterator[types.Owner]:
    """The active owners, then the archived ones: old records are still assigned to those.

    ``archived``: True for those only, False for the active ones only, None for both.
    """
    for wanted in (False, True) if archived is None else (archived,):
        yield from _iter(client, archived=wanted)


def _iter(client: wire.Sender, *, archived: bool) -> Iterator[types.Owner]:
    after = None
    while True:
        query = [("limit", str(PAGE_SIZE)), ("archived", "true" if archived else "false")]
        query += [("after", after)] if after else []
        page = shapes.to_page(client.send(wire.get(client.paths.owners(), *query)), _to_owner)
        yield from page
        if page.after is None or page.after == after:
            return
        after = page.after


def _to_owner(raw: shapes.Json) -> types.Owner:
    return types.Owner(
        id=shapes.to_id(raw["id"]),
        email=shapes.word(raw, "email"),
        first_name=shapes.word(raw, "firstName"),
        last_name=shapes.word(raw, "lastName"),
        user_id=shapes.number(raw, "userId"),
        type=shapes.word(raw, "type") or "PERSON",
        archived=shapes.flag(raw, "archived"),
        user_id_including_inactive=shapes.number(raw, "userIdIncludingInactive"),
    )

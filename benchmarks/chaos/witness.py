"""The witnesses: triggers that note every value the product's rows ever held, and the fakehub's ledger.

Both are written by others than crmsync, in the very order in which each side saw its writes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import connection

from benchmarks.chaos import oracle
from benchmarks.chaos.cells import COLUMNS, TABLES, Cell, Column, key_of, key_property
from crmsync.models import Conflict
from project.demo.hub import Hub

TABLE = "chaos_witness"
_COLUMNS = "(kind, pk, field, value)"
Values = dict[Cell, list[str]]
Histories = dict[Cell, list[oracle.Write]]


class Witness:
    """Watches from the moment it is made; what the rows held then counts as typed by users."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        with connection.cursor() as cursor:
            for statement in (*_make_table(), *(s for column in COLUMNS for s in _watch(column))):
                cursor.execute(statement)

    def account(self) -> dict[Cell, tuple[oracle.Account, Sequence[oracle.Write], Sequence[oracle.Write], list]]:
        """The oracle's account of every cell with its evidence: local history, remote history, logged conflicts."""
        remote, local, logged = self._remote(), self._local(), self._logged()
        found = {}
        for cell in local.keys() | remote.keys():
            theirs = remote.get(cell, [])
            mine = oracle.mark_users(local.get(cell, []), [one.value for one in theirs if one.is_user])
            log = logged.get(cell, [])
            found[cell] = (oracle.judge(mine, theirs, log), mine, theirs, log)
        return found

    def count_local(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {TABLE}")
            return int(cursor.fetchone()[0])

    def _local(self) -> Values:
        keys = _local_keys()
        found: Values = defaultdict(list)
        columns = {(one.object_type, one.local): one for one in COLUMNS}
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT kind, pk, field, value FROM {TABLE} ORDER BY seq")
            for kind, pk, name, value in cursor.fetchall():
                cell = Cell(kind, keys.get((kind, str(pk)), f"#{pk}"), name)
                found[cell].append(columns[kind, name].read(value))
        return found

    def _remote(self) -> Histories:
        keys = {
            (kind, record["id"]): record["properties"].get(key_property(kind)) or ""
            for kind in TABLES
            for record in self.hub.records(kind)
        }
        columns = {(one.object_type, one.remote): one for one in COLUMNS}
        found: Histories = defaultdict(list)
        for row in self._changes():
            column = columns.get((row["type"], row["property"]))
            if column is not None:
                key = keys.get((row["type"], row["id"]), f"#{row['id']}")
                is_user = not row["source"].startswith("INTEGRATION")
                write = oracle.Write(column.read(row["new"]), is_user)
                found[Cell(row["type"], key, column.local)].append(write)
        return found

    def _changes(self) -> Iterator[dict]:
        seq = 0
        while True:
            page = self.hub.get("ledger", since_seq=seq, kind="change", limit=10_000)["rows"]
            if not page:
                return
            yield from page
            seq = page[-1]["seq"]

    def _logged(self) -> dict[Cell, list[oracle.Logged]]:
        keys = _local_keys()
        columns = {(one.object_type, f"{one.local}|{one.remote}"): one for one in COLUMNS}
        found: dict[Cell, list[oracle.Logged]] = defaultdict(list)
        for row in Conflict.objects.select_related("mapping").order_by("pk"):
            kind = row.mapping.object_type
            if column := columns.get((kind, row.field)):
                values = (column.read(row.local_value), column.read(row.remote_value))
                key = keys.get((kind, row.local_pk), f"#{row.local_pk}")
                found[Cell(kind, key, column.local)].append(oracle.Logged(*values, row.winner))
        return found


def _local_keys() -> dict[tuple[str, str], str]:
    return {
        (kind, str(row.pk)): key_of(kind, row) for kind, (model, _) in TABLES.items() for row in model.objects.all()
    }


def _make_table() -> Iterator[str]:
    number = "bigserial PRIMARY KEY" if connection.vendor == "postgresql" else "integer PRIMARY KEY AUTOINCREMENT"
    yield f"CREATE TABLE {TABLE} (seq {number}, kind text, pk bigint, field text, value text)"


def _watch(column: Column) -> Iterator[str]:
    """What the column holds now, and a trigger for what it will hold."""
    table, name = column.model._meta.db_table, column.local
    facts = f"'{column.object_type}', {{}}id, '{name}', CAST({{}}{name} AS text)"
    yield f"INSERT INTO {TABLE} {_COLUMNS} SELECT {facts.format('', '')} FROM {table} ORDER BY id"
    body = f"INSERT INTO {TABLE} {_COLUMNS} VALUES ({facts.format('NEW.', 'NEW.')});"
    label = f"chaos_{table}_{name}"
    if connection.vendor == "postgresql":
        yield (
            f"CREATE FUNCTION {label}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $body$ BEGIN {body} RETURN NULL; END $body$"
        )
        act, differs = f"EXECUTE FUNCTION {label}()", "IS DISTINCT FROM"
    else:
        act, differs = f"BEGIN {body} END", "IS NOT"
    each = f"ON {table} FOR EACH ROW"
    yield f"CREATE TRIGGER {label}_made AFTER INSERT {each} {act}"
    yield f"CREATE TRIGGER {label}_set AFTER UPDATE {each} WHEN (OLD.{name} {differs} NEW.{name}) {act}"

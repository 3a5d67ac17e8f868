"""What tests and demos do to a portal from outside: people's edits, planted things, a look at the records."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from crmsync.fakehub import auth, clock, definitions, edges, faults, objecttypes, records, rules, snapshot, webhooks

Post = Callable[[str, dict[str, str], bytes], int]
AnyRecord = records.Record  # these names are also of things the class below has
AnyFault = faults.Fault
ENGAGEMENTS = ("0-46", "0-27", "0-48", "0-47", "0-49")
FIRST_CUSTOM = 3_465_404


class Planting:
    """The hands of ``hub.FakeHub``; object types go in by name or id, record ids as texts."""

    lock: Any
    portal: Any
    store: Any
    index: Any
    people: Any
    limits: Any
    faults: faults.Faults
    webhooks: webhooks.Outbox
    clock: clock.Clock

    def commit(self) -> None:
        raise NotImplementedError

    @contextlib.contextmanager
    def _step(self) -> Iterator[None]:
        """One change from outside: alone, and kept at its end."""
        with self.lock:
            yield
            self.commit()

    # a person in the user interface

    def ui_create(self, type_name: str, props: Mapping[str, str]) -> str:
        with self._step():
            record = self.people.create(type_name, dict(props))
            self.after_create(record, self.people.source)  # type: ignore[attr-defined]
            return str(record.id)

    def ui_update(self, type_name: str, record_id: str, props: Mapping[str, str]) -> bool:
        """True if a value changed."""
        with self._step():
            return bool(self.people.update(type_name, record_id, dict(props)))

    def ui_archive(self, type_name: str, record_id: str) -> None:
        with self._step():
            self.people.archive(type_name, record_id)

    def ui_restore(self, type_name: str, record_id: str) -> None:
        with self._step():
            self.people.restore(type_name, record_id)

    def ui_merge(self, type_name: str, primary: str, other: str) -> str:
        """The id of the merged record."""
        with self._step():
            return str(self.people.merge(type_name, primary, other).id)

    def ui_associate(
        self, type_name: str, record_id: str, to_type: str, to_id: str, numbers: Iterable[int] = ()
    ) -> None:
        """Associate two records, plainly or with the given type numbers."""
        with self._step():
            one, two = self.people.find(type_name, record_id), self.people.find(to_type, to_id)
            default = self.portal.catalogue.default(one.kind.id, two.kind.id)
            if default is None:
                raise ValueError(f"{one.kind.loud} and {two.kind.loud} cannot be associated")
            chosen = tuple(numbers) or (default.number,)
            edges.put(self, (one.kind.id, one.id, two.kind.id, two.id), chosen, self.people.source)

    def ui_dissociate(self, type_name: str, record_id: str, to_type: str, to_id: str) -> None:
        with self._step():
            one, two = self.people.find(type_name, record_id), self.people.find(to_type, to_id)
            edges.put(self, (one.kind.id, one.id, two.kind.id, two.id), (), self.people.source)

    # what is in the portal

    def records(self, type_name: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """All records with all their values, by id."""
        with self.lock:
            table = self.store.table(self.portal.kind(type_name))
            ids = table.archived if archived else table.live
            return [self.show(table.records[number]) for number in ids]

    def record(self, type_name: str, record_id: str) -> dict[str, Any] | None:
        """One record, archived or not; None if there is none."""
        with self.lock:
            found = self.store.get(self.portal.kind(type_name), int(record_id))
            return None if found is None else self.show(found)

    def associated(self, type_name: str, record_id: str, to_type: str) -> dict[str, tuple[int, ...]]:
        """Ids of associated records with the type numbers of each edge."""
        with self.lock:
            kind, to = self.portal.kind(type_name), self.portal.kind(to_type)
            return {str(other): types for other, types in self.store.graph.of(kind.id, int(record_id), to.id).items()}

    def show(self, record: AnyRecord) -> dict[str, Any]:
        """A record with all its values, as the object API would show it."""
        return record.document(tuple(sorted(record.props)))

    # planting

    def plant(self, type_name: str, rows: Iterable[Mapping[str, str]], at_ms: int | None = None) -> list[str]:
        """Put in many records as they are, unchecked and without webhooks; one ledger row each."""
        source = records.Source("IMPORT", "0", "Import")
        with self._step():
            kind = self.portal.kind(type_name)
            made = [self.store.create(kind, dict(row), source, at=at_ms, what="planted") for row in rows]
            return [str(record.id) for record in made]

    def add_token(self, token: str, scopes: list[str] | None = None, **facts: Any) -> auth.Token:
        """``scopes`` None means all. Facts are fields of ``auth.Token``: app_id, user_id, kind, expires_ms …"""
        with self._step():
            found: auth.Token = self.portal.add_token(token, scopes, **facts)
            return found

    def add_owner(
        self, owner_id: str, email: str, first: str = "", last: str = "", user_id: int = 0, archived: bool = False
    ) -> None:
        with self._step():
            self.portal.add_owner(str(owner_id), email, first, last, user_id or int(owner_id) + 7, archived)

    def add_pipeline(self, type_name: str, pipeline: dict[str, Any]) -> None:
        """``{"id", "label", "displayOrder", "stages": [{"id", "label", "displayOrder", "metadata"}]}``"""
        with self._step():
            self.portal.add_pipeline(self.portal.kind(type_name).id, pipeline)

    def add_property(
        self, type_name: str, name: str, kind: str = "string", field_type: str = "", **facts: Any
    ) -> None:
        """Facts are fields of the properties API (options, hasUniqueValue, …), and ``read_only``."""
        with self._step():
            held = self.portal.kind(type_name)
            read_only = facts.pop("read_only", False)
            allowed = definitions.FIELD_TYPES[kind]
            shown = field_type or ("text" if "text" in allowed else "select" if "select" in allowed else min(allowed))
            group = next(iter(self.portal.groups[held.id]))
            given = {"name": name, "label": name, "type": kind, "fieldType": shown, "groupName": group, **facts}
            if kind == "bool":
                given.setdefault("options", definitions.BOOL_OPTIONS)
            at = clock.iso(self.clock.now_ms())
            self.portal.properties[held.id][name] = definitions.make_property(given, at, read_only=read_only)
            self.portal.changed()

    def archive_property(self, type_name: str, name: str, archived: bool = True) -> None:
        """As a person does in the property settings; records keep their values, which are shown no more."""
        with self._step():
            prop = self.portal.properties[self.portal.kind(type_name).id][name]
            prop.data["archived"] = archived
            prop.data.pop("archivedAt", None)
            if archived:
                prop.data["archivedAt"] = clock.iso(self.clock.now_ms())
            self.portal.changed()

    def restore_property(self, type_name: str, name: str) -> None:
        self.archive_property(type_name, name, archived=False)

    def set_options(self, type_name: str, name: str, values: Iterable[str]) -> None:
        """The options of a property, in this order; records keep a value that is no option any more."""
        with self._step():
            prop = self.portal.properties[self.portal.kind(type_name).id][name]
            options = [{"value": value, "label": value, "displayOrder": n} for n, value in enumerate(values)]
            prop.data["options"] = definitions.make_options(options)
            prop.refresh()
            self.portal.changed()

    def add_object_type(self, name: str, associated: Iterable[str] = ("0-1",), **schema: Any) -> str:
        """A custom object; schema facts as in the schemas API (requiredProperties, primaryDisplayProperty …).
        Its properties are added with ``add_property``. Gives its id, ``2-…``."""
        with self._step():
            taken = [int(kind[2:]) for kind in self.portal.kinds if kind.startswith("2-")]
            number = max([FIRST_CUSTOM, *(one + 1 for one in taken)])
            kind = objecttypes.make_custom(number, name, self.portal.id, schema)
            self.portal.add_kind(kind)
            for other in (*associated, *ENGAGEMENTS):
                self.portal.catalogue.define(kind.id, self.portal.kind(other).id)
            self.portal.changed()
            return kind.id

    def add_label(self, type_name: str, to_type: str, label: str, inverse: str | None = None) -> int:
        """A USER_DEFINED association type; its number as seen from ``type_name``."""
        with self._step():
            pair = self.portal.kind(type_name).id, self.portal.kind(to_type).id
            number: int = self.portal.catalogue.define(*pair, label, inverse)
            self.portal.changed()
            return number

    def rename_label(self, type_name: str, to_type: str, number: int, label: str) -> None:
        with self._step():
            self.portal.catalogue.rename(self.portal.kind(type_name).id, self.portal.kind(to_type).id, number, label)
            self.portal.changed()

    def remove_label(self, type_name: str, to_type: str, number: int) -> None:
        """As a person does in the association settings: the records stay associated, without the label."""
        with self._step():
            source, target = self.portal.kind(type_name).id, self.portal.kind(to_type).id
            self.store.graph.strip(source, target, number)
            self.portal.catalogue.remove(source, target, number)
            self.portal.changed()

    def plant_rule(
        self,
        type_name: str,
        name: str,
        when: Mapping[str, Iterable[str]] | None = None,
        rule_type: str = "",
        arguments: Iterable[str] = (),
    ) -> None:
        """Require property ``name``, always or when other properties have one of some values (from 2026-09 on);
        or show a rule of a published type (MAX_LENGTH …), which is not enforced."""
        with self._step():
            rule = rules.make(name, when or {}, rule_type, arguments)
            self.portal.rules[self.portal.kind(type_name).id].append(rule)
            self.portal.changed()

    def plant_fault(self, kind: str, **facts: Any) -> AnyFault:
        """See ``crmsync.fakehub.faults`` for kinds and facts."""
        with self.lock:
            return self.faults.plant(kind, **facts)

    def set_webhooks(self, **facts: Any) -> None:
        """See ``webhooks.Outbox.configure``; at least ``target`` and ``secret``."""
        with self._step():
            self.webhooks.configure(**facts)
            self.portal.changed()

    def set_limits(self, **facts: Any) -> None:
        """See ``limits.Limits.configure``."""
        with self.lock:
            self.limits.configure(**facts)

    def set_flags(self, **flags: Any) -> None:
        """Flags of the portal, as ``FakeHub`` takes them."""
        with self._step():
            for name, value in flags.items():
                if name not in snapshot.FLAGS:
                    raise TypeError(f"a portal has no flag {name!r}")
                setattr(self.portal, name, value)
            self.portal.changed()

    def advance(self, seconds: float) -> None:
        with self._step():
            self.clock.advance(seconds)

    def deliver_webhooks(self, post: Post) -> int:
        """Send all that waits through ``post(url, headers, body) -> status``, each batch once; retries wait for
        the next call. Gives the number of requests made."""
        made = 0
        with self.lock:
            last = self.webhooks.last_due()
        while True:
            with self.lock:
                batch = self.webhooks.take(before=last)
                if not batch:
                    return made
                headers, body = self.webhooks.pack(batch)
            status = post(self.webhooks.target, headers, body)
            made += 1
            with self._step():
                self.webhooks.settle(batch, status, 0.0)

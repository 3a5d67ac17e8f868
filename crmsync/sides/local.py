"""The local world: host models read and written through their adapter."""

import contextlib
import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DEFAULT_DB_ALIAS, models, router, transaction
from django.db.models.functions import Lower, Trim

from crmsync import adapters
from crmsync.engine import match, record, spec, terms
from crmsync.sides import categories

# Values that look up by any letter case need a scan unless an index serves them; see LocalSide.find.
_FOLDING = set(terms.Normaliser) - {terms.Normaliser.EXACT}


class LocalSide:
    """One mapping's model. Primary keys travel as text. All is read where it is written, never from a replica."""

    def __init__(self, one: spec.MappingSpec, adapter: adapters.LocalAdapter) -> None:
        self.spec = one
        self.adapter = adapter
        self.alias = router.db_for_write(adapter.model)
        paths = {f.local for f in one.fields if not spec.is_held(f, terms.SideName.LOCAL)} | {
            m.local for m in one.match
        }
        paths |= {c.field for rule in one.rules for c in rule.conditions if c.side is terms.SideName.LOCAL}
        self.paths = sorted(paths)
        self.categories = categories.Categories(adapter, self.paths)
        self._membership = _make_filter(one, adapter.model)
        self._irregular: dict[spec.MatchSpec, dict[str, list[str]]] = {}

    @property
    def is_elsewhere(self) -> bool:
        """Whether the rows are in another database than crmsync's own tables."""
        return self.alias != DEFAULT_DB_ALIAS

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction, or a savepoint, of crmsync's tables and of these rows. Of two databases this one commits
        first: what crmsync then does not remember of it is found again."""
        with transaction.atomic():
            if not self.is_elsewhere:
                yield
                return
            with transaction.atomic(using=self.alias):
                yield

    def rows(self) -> models.QuerySet:
        """The adapter's rows."""
        return self.adapter.queryset().using(self.alias)

    def queryset(self) -> models.QuerySet:
        """The adapter's rows with the relations our paths follow."""
        return self.adapter.ahead(self.rows(), self.paths)

    def _members(self, rows: models.QuerySet) -> models.QuerySet:
        """Those that fixed values leave to this mapping, as far as columns tell. Reads by key show every row: one
        of another mapping is not gone."""
        return rows.filter(**self._membership) if self._membership else rows

    def read(self, pks: Collection[str]) -> dict[str, record.Record]:
        """Records by primary key; a key without a row is missing."""
        return {key: self.to_record(row) for key, row in self.instances(pks).items()}

    def instances(self, pks: Collection[str], *, lock: bool = False) -> dict[str, models.Model]:
        """Rows by primary key, locked for the caller's transaction if wanted."""
        rows = self._locked() if lock else self.queryset()
        return {str(row.pk): row for row in rows.filter(pk__in=self._to_pks(pks))}

    def _locked(self) -> models.QuerySet:
        """The lock is on the rows alone: joins would lock what is read along, or not work at all."""
        rows = self.rows().select_for_update()
        return rows.prefetch_related(*self.categories.lookups())

    def to_record(self, row: models.Model) -> record.Record:
        """A row as a record of the paths this mapping uses."""
        read = self.adapter.read
        return record.Record(
            key=record.RecordKey(self.spec.local_model, str(row.pk)),
            values={path: read(row, path) for path in self.paths},
            modified_at=self._modified_at(row),
        )

    def to_records(self, rows: Collection[models.Model]) -> list[record.Record]:
        """New rows as records; what they read of others is read for all of them at once."""
        models.prefetch_related_objects(list(rows), *self.adapter.several(self.paths))
        return [self.to_record(row) for row in rows]

    def page(self, after: str, limit: int) -> list[record.Record]:
        """Records in primary key order behind ``after`` ("" from the start): keyset paging."""
        rows = self._members(self.queryset()).order_by("pk")
        if after:
            rows = rows.filter(pk__gt=self.adapter.model._meta.pk.to_python(after))
        return [self.to_record(row) for row in rows[:limit]]

    def count(self) -> int:
        return self._members(self.rows()).count()

    def within(self, path: str, since: datetime, until: datetime) -> Iterator[str]:
        """Primary keys of rows whose day or moment lies in a range, ends included; none where the path is no column
        with dates. Days do not pass within a day."""
        field = _find_column(self.adapter.model, path)
        is_moment = isinstance(field, models.DateTimeField)
        if not is_moment and (not isinstance(field, models.DateField) or _day(since) == _day(until)):
            return iter(())
        ends = (since, until) if is_moment else (_day(since), _day(until))
        rows = self._members(self.rows()).filter(**{f"{path}__range": ends}).order_by("pk")
        return (str(pk) for pk in rows.values_list("pk", flat=True).iterator(chunk_size=2000))

    def find(self, one: spec.MatchSpec, values: Collection[object]) -> dict[str, list[str]]:
        """Primary keys by normalised match value, for values as HubSpot has them.

        Equal spelling is found by index. Other spellings need a scan of the table; the rows that are not in
        their own normal form are few, so they are remembered for the life of this side (one batch or run).
        """
        one = self._lookup(one)
        wanted = {n: v for v in values if (n := match.normalise(v, one.normaliser)) is not None}
        if not wanted:
            return {}
        found: dict[str, list[str]] = defaultdict(list)
        spellings = {str(v) for v in wanted.values()} | set(wanted)
        for pk, value in self._values(one.local).filter(**{f"{one.local}__in": self._typed(one.local, spellings)}):
            normal = match.normalise(value, one.normaliser)
            if normal in wanted:
                found[normal].append(str(pk))
        if one.normaliser in _FOLDING:
            self._add_irregular(one, wanted, found)
        return dict(found)

    def _add_irregular(self, one: spec.MatchSpec, wanted: Mapping[str, object], found: dict[str, list[str]]) -> None:
        for normal, pks in self._irregular_of(one).items():
            if normal in wanted:
                found[normal].extend(pk for pk in pks if pk not in found[normal])

    def _irregular_of(self, one: spec.MatchSpec) -> dict[str, list[str]]:
        """Rows whose stored spelling is not its own lower-case trimmed form, by normal form."""
        known = self._irregular.get(one)
        if known is not None:
            return known
        found: dict[str, list[str]] = defaultdict(list)
        rows = self._values(one.local)
        if one.normaliser in (terms.Normaliser.TRIMMED, terms.Normaliser.EMAIL):
            rows = rows.alias(_normal=Lower(Trim(one.local))).exclude(_normal=models.F(one.local))
        elif one.normaliser is terms.Normaliser.EMAIL_PLUS:
            is_regular = models.Q(_normal=models.F(one.local)) & ~models.Q(**{f"{one.local}__contains": "+"})
            rows = rows.alias(_normal=Lower(Trim(one.local))).exclude(is_regular)
        for pk, value in rows.iterator(chunk_size=2000):
            normal = match.normalise(value, one.normaliser)
            if normal is not None and normal != value:
                found[normal].append(str(pk))
        self._irregular[one] = found
        return found

    def _values(self, path: str) -> models.QuerySet:
        return self._members(self.rows()).order_by("pk").values_list("pk", path)

    def _lookup(self, one: spec.MatchSpec) -> spec.MatchSpec:
        """A match key by the path that the database knows: a category is looked up by its column."""
        known = self.categories.known.get(one.local)
        return dataclasses.replace(one, local=f"{one.local}__{known.column}") if known else one

    def _typed(self, path: str, spellings: Iterable[str]) -> list[object]:
        field = self.adapter.model._meta.get_field(path) if "__" not in path else None
        if field is None:
            return sorted(spellings)
        typed = []
        for spelling in spellings:
            try:
                typed.append(field.to_python(spelling))
            except ValidationError:
                continue
        return typed

    def build(self, values: Mapping[str, object]) -> models.Model:
        """A new unsaved row of these values, checked field by field; ValidationError names the field."""
        row = self.adapter.model()
        self.assign(row, values)
        return row

    def assign(self, row: models.Model, values: Mapping[str, object]) -> list[str]:
        """Set values on a row, checked; the field names touched."""
        names = self.adapter.write(row, self.categories.with_rows(values))
        self.check(row, names)
        return names

    def relate(self, row: models.Model, values: Mapping[str, object]) -> None:
        """Set the relations to several categories on a saved row."""
        if any(self.categories.is_several(path) for path in values):
            self.adapter.relate(row, self.categories.with_rows(values))

    def check(self, row: models.Model, names: Sequence[str]) -> None:
        """The model's own field validation of the fields we wrote (not blank=, which is for forms)."""
        for name in names:
            field = self.adapter.model._meta.get_field(name)
            value = getattr(row, field.attname)
            if value in field.empty_values or name in self.categories.known:  # a category's row was just looked up
                continue
            try:
                field.clean(value, row)
            except ValidationError as error:
                raise ValidationError({name: error}) from error

    def refresh(self, pks: Collection[str]) -> dict[str, record.Record]:
        """Records as the database has them now: what the local side answered to a write."""
        return self.read(pks)

    def _to_pks(self, pks: Collection[str]) -> list[object]:
        field = self.adapter.model._meta.pk
        typed = []
        for pk in pks:
            try:
                typed.append(field.to_python(pk))
            except ValidationError:
                continue
        return typed

    def _modified_at(self, row: models.Model):
        """The row's own auto_now time where the model has one; used only by the policy “newest”."""
        for name in self.adapter.auto_now_fields():
            value = getattr(row, name)
            if hasattr(value, "hour"):
                return value
        return None


def _make_filter(one: spec.MappingSpec, model: type[models.Model]) -> dict[str, object]:
    """The fixed values that decide and are columns, as ``filter()`` takes them; texts without case, as rules do."""
    conditions = (condition for rule in one.rules if rule.is_membership for condition in rule.conditions)
    paths = {condition.field for condition in conditions if condition.side is terms.SideName.LOCAL}
    return {
        f"{fixed.field}__iexact" if isinstance(fixed.value, str) else fixed.field: fixed.value
        for fixed in one.fixed
        if fixed.side is terms.SideName.LOCAL and fixed.field in paths and _find_column(model, fixed.field)
    }


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _find_column(model: type[models.Model], path: str) -> models.Field | None:
    """The column that a path leads to along foreign keys, if it is none itself."""
    names = path.split("__")
    for position, name in enumerate(names):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        if not field.concrete or field.many_to_many or field.is_relation is (position == len(names) - 1):
            return None
        model = field.related_model
    return field

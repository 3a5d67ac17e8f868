"""The local world: host models read and written through their adapter."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower, Trim

from crmsync import adapters
from crmsync.engine import match, record, spec, terms

# Values that look up by any letter case need a scan unless an index serves them; see LocalSide.find.
_FOLDING = {terms.Normaliser.TRIMMED, terms.Normaliser.EMAIL, terms.Normaliser.DOMAIN, terms.Normaliser.DIGITS}


class LocalSide:
    """One mapping's model. Primary keys travel as text."""

    def __init__(self, one: spec.MappingSpec, adapter: adapters.LocalAdapter) -> None:
        self.spec = one
        self.adapter = adapter
        paths = {f.local for f in one.fields} | {m.local for m in one.match}
        paths |= {c.field for rule in one.rules for c in rule.conditions if c.side is terms.SideName.LOCAL}
        self.paths = sorted(paths)
        self._irregular: dict[str, dict[str, list[str]] | None] = {}

    def queryset(self) -> models.QuerySet:
        """The adapter's rows with the relations our paths follow."""
        rows = self.adapter.queryset()
        related = self.adapter.related(self.paths)
        return rows.select_related(*related) if related else rows

    def read(self, pks: Collection[str]) -> dict[str, record.Record]:
        """Records by primary key; a key without a row is missing."""
        return {key: self.to_record(row) for key, row in self.instances(pks).items()}

    def instances(self, pks: Collection[str], *, lock: bool = False) -> dict[str, models.Model]:
        """Rows by primary key, locked for the caller's transaction if wanted."""
        rows = self.adapter.queryset().select_for_update() if lock else self.queryset()
        return {str(row.pk): row for row in rows.filter(pk__in=self._to_pks(pks))}

    def to_record(self, row: models.Model) -> record.Record:
        """A row as a record of the paths this mapping uses."""
        read = self.adapter.read
        return record.Record(
            key=record.RecordKey(self.spec.local_model, str(row.pk)),
            values={path: read(row, path) for path in self.paths},
            modified_at=self._modified_at(row),
        )

    def page(self, after: str, limit: int) -> list[record.Record]:
        """Records in primary key order behind ``after`` ("" from the start): keyset paging."""
        rows = self.queryset().order_by("pk")
        if after:
            rows = rows.filter(pk__gt=self.adapter.model._meta.pk.to_python(after))
        return [self.to_record(row) for row in rows[:limit]]

    def count(self) -> int:
        return self.adapter.queryset().count()

    def find(self, one: spec.MatchSpec, values: Collection[object]) -> dict[str, list[str]]:
        """Primary keys by normalised match value, for values as HubSpot has them.

        Equal spelling is found by index. Other spellings need a scan of the table; the rows that are not in
        their own normal form are few, so they are remembered for the life of this side (one batch or run).
        """
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
        known = self._irregular.get(one.local)
        if known is not None:
            return known
        found: dict[str, list[str]] = defaultdict(list)
        rows = self._values(one.local)
        if one.normaliser in (terms.Normaliser.TRIMMED, terms.Normaliser.EMAIL):
            rows = rows.alias(_normal=Lower(Trim(one.local))).exclude(_normal=models.F(one.local))
        for pk, value in rows.iterator(chunk_size=2000):
            normal = match.normalise(value, one.normaliser)
            if normal is not None and normal != value:
                found[normal].append(str(pk))
        self._irregular[one.local] = found
        return found

    def _values(self, path: str) -> models.QuerySet:
        return self.adapter.queryset().order_by("pk").values_list("pk", path)

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
        names = self.adapter.write(row, values)
        self.check(row, names)
        return row

    def assign(self, row: models.Model, values: Mapping[str, object]) -> list[str]:
        """Set values on a row, checked; the field names touched."""
        names = self.adapter.write(row, values)
        self.check(row, names)
        return names

    def check(self, row: models.Model, names: Sequence[str]) -> None:
        """The model's own field validation of the fields we wrote (not blank=, which is for forms)."""
        for name in names:
            field = self.adapter.model._meta.get_field(name)
            value = getattr(row, field.attname)
            if value in field.empty_values:
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

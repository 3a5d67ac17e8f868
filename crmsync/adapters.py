"""LocalAdapter: how crmsync reads and writes one host model; the one class a host may subclass."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.apps import apps
from django.db import DatabaseError, models, router

from crmsync import conf
from crmsync.engine import combined, record, terms
from crmsync.paths import categories, computed, fields, rollups, walk

LocalField = fields.LocalField
LocalFieldError = fields.LocalFieldError
SECRET_WORDS = fields.SECRET_WORDS

_Kind = walk.Kind
# The related rows of a batch wait under this name and the relation's on each row.
_AHEAD = "_crmsync_"


class LocalAdapter:
    """Subclass it to filter the rows that may be synced, to compute values, or to delete softly.

    Must: be safe to call from any worker. May: override any method, and name in ``methods`` the model's methods
    that may be read. Must not: call HubSpot, or keep state.
    """

    methods: tuple[str, ...] = ()

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    def queryset(self) -> models.QuerySet:
        """All rows crmsync may see."""
        return self.model._default_manager.all()

    # --- Reading ------------------------------------------------------------------------------------------------

    def read(self, instance: models.Model, path: str) -> object:
        """The value at a path such as ``email`` or ``organisation__name``; None where a relation is empty.

        A computed value that raises is ``record.Unreadable``: one record is held back, the others go on.
        """
        if combined.is_combined(path):
            return combined.text_of(self.read(instance, one) for one in combined.parts(path))
        target = self._find(path)
        value: object = instance
        for name in target.hops if target else path.split("__")[:-1]:
            value = getattr(value, name)
            if value is None:
                return None
        return self._read_end(value, target) if target else getattr(value, path.rpartition("__")[2])

    def ahead(self, rows: models.QuerySet, paths: Iterable[str]) -> models.QuerySet:
        """The rows with all that these paths read of others, in as many queries as relations, not as rows."""
        paths = list(paths)
        if related := self.related(paths):
            rows = rows.select_related(*related)
        return rows.prefetch_related(*self.several(paths))

    def related(self, paths: Iterable[str]) -> list[str]:
        """The foreign keys that reading these paths follows, for ``select_related``."""
        found = set()
        for path in {one for several in paths for one in combined.parts(several)}:
            target = self._find(path)
            hops = list(target.hops if target else path.split("__")[:-1])
            if target and target.kind is _Kind.CATEGORY:
                hops.append(target.field.name)
            found.add("__".join(hops))
        return sorted(found - {""})

    def several(self, paths: Iterable[str]) -> list[models.Prefetch | str]:
        """The relations to several rows that reading these paths follows, for ``prefetch_related``."""
        columns: dict[str, set[str]] = defaultdict(set)
        ends: dict[str, walk.Target] = {}
        lookups: list[str] = []
        for target in filter(None, (self._find(one) for path in paths for one in combined.parts(path))):
            if target.kind in (_Kind.ROLLUP, _Kind.CATEGORIES):
                name = target.field.name
                ends[name] = target
                columns[name].add(target.rollup.column if target.rollup else target.category.column)
            elif target.kind is _Kind.COMPUTED:
                lookups += _accessors(target)
        return [*(_prefetch(ends[name], columns[name]) for name in sorted(ends)), *sorted(set(lookups))]

    # --- Writing ------------------------------------------------------------------------------------------------

    def write(self, instance: models.Model, values: Mapping[str, object]) -> list[str]:
        """Set values on the instance without saving; the names of the model fields touched.

        A category's value is its row. What leads to several rows is left to ``relate``.
        """
        names = []
        for path, value in values.items():
            field = self.model._meta.get_field(path)
            if field.many_to_many:
                continue
            if value is None and not field.null:
                value = "" if field.empty_strings_allowed else field.get_default()
            setattr(instance, field.name if isinstance(value, models.Model) else field.attname, value)
            names.append(field.name)
        return names

    def relate(self, instance: models.Model, values: Mapping[str, object]) -> None:
        """Set the relations to several rows on a saved instance."""
        for path, value in values.items():
            if self.model._meta.get_field(path).many_to_many:
                getattr(instance, path).set(value or ())

    def save(self, instance: models.Model, names: Iterable[str] | None) -> None:
        """Save a new instance (``names`` None) or the named fields of an existing one, auto_now ones too."""
        if names is None:
            instance.save(force_insert=True)
        else:
            instance.save(update_fields=[*names, *self.auto_now_fields()])

    def archive(self, instance: models.Model) -> None:
        """Delete the row, because its HubSpot partner was deleted and the mapping says so."""
        instance.delete()

    # --- What there is ------------------------------------------------------------------------------------------

    def describe(self, path: str) -> LocalField:
        """What kind of field a path names; LocalFieldError where it cannot be mapped."""
        if combined.is_combined(path):
            return self._describe_combined(path)
        target = walk.resolve(self.model, path, self.methods)
        is_direct = not target.hops
        if target.kind is _Kind.COLUMN:
            return fields.describe(path, target.field, is_direct=is_direct)
        if target.kind is _Kind.USER:
            return LocalField(path, terms.LocalType.USER, is_writable=is_direct and target.field.editable)
        if target.category:
            return _describe_category(path, target)
        one = target.computed or target.rollup
        return LocalField(path, one.local_type, is_writable=False)

    def choices(self, path: str) -> list[tuple[str, str]]:
        """(value, label) of all values a path can have: the column's choices, or a category's rows (one query)."""
        if combined.is_combined(path):
            return []
        try:
            target = walk.resolve(self.model, path, self.methods)
        except LocalFieldError:
            return []
        if target.category:
            return [(value, value) for value in categories.choices(target.category)]
        if target.kind is not _Kind.COLUMN:
            return []
        return [(str(value), str(label)) for value, label in target.field.flatchoices]

    def find_category(self, path: str) -> categories.Category | None:
        """The table of values that a path is read from; None for any other path."""
        target = self._find(path)
        return target.category if target else None

    def is_stored(self, path: str) -> bool:
        """Whether the database can look rows up by this path; what only this adapter knows is left to its author."""
        target = self._find(path)
        is_made = target and target.kind in (_Kind.COMPUTED, _Kind.ROLLUP, _Kind.CATEGORIES)
        return not (is_made or combined.is_combined(path))

    def paths(self) -> list[str]:
        """The model's own mappable fields."""
        return walk.own_columns(self.model)

    def more_paths(self) -> list[str]:
        """Beyond its own columns: relations to categories, computed values and roll-ups."""
        several = [one.name for one in rollups.relations(self.model) if one.many_to_many]
        found = [*several, *computed.names(self.model, self.methods), *rollups.paths(self.model)]
        return [path for path in found if self._find(path)]

    def auto_now_fields(self) -> list[str]:
        return [f.name for f in self.model._meta.concrete_fields if getattr(f, "auto_now", False)]

    def _describe_combined(self, path: str) -> LocalField:
        """Several fields as one text, which nobody can write back."""
        if fault := combined.find_fault(path):
            raise LocalFieldError(fault)
        found = [self.describe(one) for one in combined.parts(path)]
        choices = combined.find_choices([sorted(one.choices) for one in found])
        return LocalField(path, terms.LocalType.TEXT, is_writable=False, choices=frozenset(choices))

    def _find(self, path: str) -> walk.Target | None:
        """What a path ends in, remembered for a batch; None where only this adapter's own ``read`` knows it."""
        known = self.__dict__.setdefault("_targets", {})
        if path not in known:
            try:
                known[path] = walk.resolve(self.model, path, self.methods)
            except LocalFieldError:
                known[path] = None
        return known[path]

    def _read_end(self, row: models.Model, target: walk.Target) -> object:
        if target.kind is _Kind.COMPUTED:
            return _compute(row, target.computed)
        if target.kind is _Kind.ROLLUP:
            return rollups.value_of(target.rollup, _rows_ahead(row, target))
        if target.kind is _Kind.CATEGORIES:
            return tuple(sorted(filter(None, map(target.category.text_of, _rows_ahead(row, target)))))
        if target.kind is _Kind.CATEGORY:
            return target.category.text_of(getattr(row, target.field.name))
        return getattr(row, target.field.attname)


def _describe_category(path: str, target: walk.Target) -> LocalField:
    """``choices`` are left out: they are rows, which only ``LocalAdapter.choices`` reads."""
    one, is_several = target.category, target.kind is _Kind.CATEGORIES
    return LocalField(
        path,
        terms.LocalType.MULTI if is_several else terms.LocalType.TEXT,
        is_writable=not target.hops and target.field.editable,
        category=one.name,
        adds_choices=one.is_growing,
    )


def _compute(row: models.Model, one: computed.Computed) -> object:
    try:
        value = getattr(row, one.name)
        return value() if one.is_called else value
    except DatabaseError:
        raise
    except Exception as error:  # the host's own code: whatever it raises, one record is held back
        return record.Unreadable(one.name, type(error).__name__)


def _rows_ahead(row: models.Model, target: walk.Target) -> list[models.Model]:
    """The related rows as read for the whole batch, or read now."""
    name = _AHEAD + target.field.name
    if name not in row.__dict__:
        column = target.rollup.column if target.rollup else target.category.column
        models.prefetch_related_objects([row], _prefetch(target, {column}))
        return row.__dict__.pop(name)  # of this column only: the next reader needs its own
    return row.__dict__[name]


def _prefetch(target: walk.Target, columns: Iterable[str]) -> models.Prefetch:
    """The related rows that crmsync may see, in the order of their keys, with no more columns than needed."""
    field = target.field
    rows = adapter_for(field.related_model._meta.label).queryset().order_by("pk")
    rows = rows.using(router.db_for_write(field.related_model))
    key = [field.field.name] if field.one_to_many else []
    rows = rows.select_related(None).only("pk", *key, *sorted(filter(None, columns)))
    return models.Prefetch(rollups.accessor_of(field), queryset=rows, to_attr=_AHEAD + field.name)


def _accessors(target: walk.Target) -> Iterable[str]:
    """What a computed value says it reads along relations, as ``prefetch_related`` names it."""
    for path in target.computed.reads:
        model, names = target.model, list(target.hops)
        for name in path.split("__"):
            field = walk.find_field(model, name)
            if field is None or not field.is_relation or not field.related_model:
                break
            names.append(rollups.accessor_of(field))
            model = field.related_model
        if len(names) > len(target.hops):
            yield "__".join(names)


_registry: dict[type[models.Model], type[LocalAdapter]] = {}


def register(model: type[models.Model], adapter: type[LocalAdapter]) -> None:
    """Use this adapter class for a model instead of the default."""
    _registry[model] = adapter


def registered_label(model: type[models.Model]) -> str:
    """The label of the allowed model that a model, a proxy of the same table or a multi-table child is synced as."""
    for label in conf.current().MODELS:
        allowed = apps.get_model(label)
        if issubclass(model, allowed) or model._meta.concrete_model is allowed._meta.concrete_model:
            return allowed._meta.label
    return model._meta.label


def adapter_for(model_label: str) -> LocalAdapter:
    """The adapter of a model label such as ``demo.Person``; LookupError if there is no such model."""
    model = apps.get_model(model_label)
    return _registry.get(model, LocalAdapter)(model)

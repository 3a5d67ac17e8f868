"""LocalAdapter: how crmsync reads and writes one host model; the one class a host may subclass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from crmsync import conf
from crmsync.engine import terms

# A field whose name holds one of these words is never offered, read or written.
SECRET_WORDS = ("password", "passwd", "secret", "token", "session", "api_key", "apikey", "private_key", "otp")


class LocalFieldError(Exception):
    """A local path that cannot be mapped; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class LocalField:
    """What the engine must know of a local path."""

    path: str
    local_type: terms.LocalType
    is_writable: bool
    choices: frozenset[str] = frozenset()
    max_length: int | None = None
    max_digits: int | None = None
    decimal_places: int | None = None


# Checked in order: the first Django class that fits names the type.
_TYPES: tuple[tuple[type[models.Field], terms.LocalType], ...] = (
    (models.DateTimeField, terms.LocalType.DATETIME),
    (models.DateField, terms.LocalType.DATE),
    (models.BooleanField, terms.LocalType.BOOLEAN),
    (models.DecimalField, terms.LocalType.DECIMAL),
    (models.FloatField, terms.LocalType.FLOAT),
    (models.IntegerField, terms.LocalType.INTEGER),
    (models.CharField, terms.LocalType.TEXT),
    (models.TextField, terms.LocalType.TEXT),
    (models.UUIDField, terms.LocalType.TEXT),
)


class LocalAdapter:
    """Subclass it to filter the rows that may be synced, to compute values, or to delete softly.

    Must: be safe to call from any worker. May: override any method. Must not: call HubSpot, or keep state.
    """

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    def queryset(self) -> models.QuerySet:
        """All rows crmsync may see."""
        return self.model._default_manager.all()

    def read(self, instance: models.Model, path: str) -> object:
        """The value at a path such as ``email`` or ``organisation__name``; None where a relation is empty."""
        value: object = instance
        names = path.split("__")
        for name in names[:-1]:
            value = getattr(value, name)
            if value is None:
                return None
        return getattr(value, self._attname(type(value), names[-1]))

    def write(self, instance: models.Model, values: Mapping[str, object]) -> list[str]:
        """Set values on the instance without saving; the names of the model fields touched."""
        names = []
        for path, value in values.items():
            field = self.model._meta.get_field(path)
            if value is None and not field.null:
                value = "" if field.empty_strings_allowed else field.get_default()
            setattr(instance, field.attname, value)
            names.append(field.name)
        return names

    def save(self, instance: models.Model, names: Iterable[str] | None) -> None:
        """Save a new instance (``names`` None) or the named fields of an existing one, auto_now ones too."""
        if names is None:
            instance.save(force_insert=True)
        else:
            instance.save(update_fields=[*names, *self.auto_now_fields()])

    def archive(self, instance: models.Model) -> None:
        """Delete the row, because its HubSpot partner was deleted and the mapping says so."""
        instance.delete()

    def describe(self, path: str) -> LocalField:
        """What kind of field a path names; LocalFieldError where it cannot be mapped."""
        names = path.split("__")
        model, field = self.model, None
        for position, name in enumerate(names):
            self._refuse_secret(name)
            try:
                field = model._meta.get_field(name)
            except FieldDoesNotExist as error:
                raise LocalFieldError(
                    f"{model._meta.label} has no field {name!r}. Choose one of: {', '.join(self.paths())}."
                ) from error
            if position < len(names) - 1:
                if not (field.many_to_one or field.one_to_one) or field.auto_created:
                    raise LocalFieldError(f"{path!r}: {name!r} is not a foreign key, so it leads nowhere.")
                model = field.related_model
        return self._describe(path, field, is_direct=len(names) == 1)

    def paths(self) -> list[str]:
        """The model's own mappable fields."""
        return [
            field.name
            for field in self.model._meta.concrete_fields
            if not any(word in field.name.lower() for word in SECRET_WORDS)
        ]

    def related(self, paths: Iterable[str]) -> list[str]:
        """The relations that reading these paths follows, for ``select_related``."""
        return sorted({path.rpartition("__")[0] for path in paths if "__" in path})

    def auto_now_fields(self) -> list[str]:
        return [f.name for f in self.model._meta.concrete_fields if getattr(f, "auto_now", False)]

    def _describe(self, path: str, field: models.Field, *, is_direct: bool) -> LocalField:
        if field.is_relation and (field.many_to_one or field.one_to_one):
            user = apps.get_model(settings.AUTH_USER_MODEL)
            if field.related_model is not user:
                raise LocalFieldError(
                    f"{path!r} is a relation. Map a field of it, such as {path}__name, or use an association."
                )
            return LocalField(path, terms.LocalType.USER, is_writable=is_direct and field.editable)
        for kind, local_type in _TYPES:
            if isinstance(field, kind):
                return LocalField(
                    path,
                    local_type,
                    is_writable=is_direct and not field.primary_key and not getattr(field, "auto_now", False),
                    choices=frozenset(str(value) for value, _ in field.flatchoices),
                    max_length=getattr(field, "max_length", None),
                    max_digits=getattr(field, "max_digits", None),
                    decimal_places=getattr(field, "decimal_places", None),
                )
        raise LocalFieldError(f"{path!r} is a {type(field).__name__}, which crmsync cannot map.")

    @staticmethod
    def _refuse_secret(name: str) -> None:
        if any(word in name.lower() for word in SECRET_WORDS):
            raise LocalFieldError(f"{name!r} looks like a secret and is never mapped.")

    @staticmethod
    def _attname(model: type, name: str) -> str:
        meta = getattr(model, "_meta", None)
        field = meta.fields_map.get(name) or meta._forward_fields_map.get(name) if meta else None
        return getattr(field, "attname", name)


_registry: dict[type[models.Model], type[LocalAdapter]] = {}


def register(model: type[models.Model], adapter: type[LocalAdapter]) -> None:
    """Use this adapter class for a model instead of the default."""
    _registry[model] = adapter


def registered_label(model: type[models.Model]) -> str:
    """The label of the allowed model that a model, its proxy or its multi-table child is synced as."""
    for label in conf.current().MODELS:
        if issubclass(model, apps.get_model(label)):
            return apps.get_model(label)._meta.label
    return model._meta.label


def adapter_for(model_label: str) -> LocalAdapter:
    """The adapter of a model label such as ``demo.Person``; LookupError if there is no such model."""
    model = apps.get_model(model_label)
    return _registry.get(model, LocalAdapter)(model)

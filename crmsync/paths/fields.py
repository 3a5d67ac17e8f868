"""LocalField: what the engine must know of a local path; and the columns, with the names that are never mapped."""

from dataclasses import dataclass

from django.db import models

from crmsync.engine import terms

# A field whose name holds one of these words is never offered, read or written.
SECRET_WORDS = ("password", "passwd", "secret", "token", "session", "api_key", "apikey", "private_key", "otp")

# What says who may do what in this product: never mapped either.
_RIGHTS = frozenset({"is_superuser", "is_staff", "groups", "user_permissions"})


class LocalFieldError(Exception):
    """A local path that cannot be mapped; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class LocalField:
    """What the engine must know of a local path.

    ``category``: what the rows of a related table of values are called; ``adds_choices``: a value that it lacks is
    added to it.
    """

    path: str
    local_type: terms.LocalType
    is_writable: bool
    choices: frozenset[str] = frozenset()
    max_length: int | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    category: str = ""
    adds_choices: bool = False


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


def is_secret(name: str) -> bool:
    """Whether a name is one of what is never mapped: secrets, and the rights of users."""
    return name in _RIGHTS or any(word in name.lower() for word in SECRET_WORDS)


def refuse_secret(name: str) -> None:
    """LocalFieldError for a name that looks like a secret."""
    if is_secret(name):
        raise LocalFieldError(f"{name!r} looks like a secret, or says who may do what here: it is never mapped.")


def type_of(field: models.Field) -> terms.LocalType | None:
    """The type of a plain column; None for what cannot be mapped."""
    if field.is_relation:
        return None
    return next((local_type for kind, local_type in _TYPES if isinstance(field, kind)), None)


def describe(path: str, field: models.Field, *, is_direct: bool) -> LocalField:
    """A plain column; ``is_direct``: it is the mapped row's own. LocalFieldError for a type that cannot be mapped."""
    local_type = type_of(field)
    if local_type is None:
        raise LocalFieldError(f"{path!r} is a {type(field).__name__}, which crmsync cannot map.")
    is_fixed = field.primary_key or field.generated or getattr(field, "auto_now", False)
    return LocalField(
        path,
        local_type,
        is_writable=is_direct and not is_fixed,
        choices=frozenset(str(value) for value, _ in field.flatchoices),
        max_length=getattr(field, "max_length", None),
        max_digits=getattr(field, "max_digits", None),
        decimal_places=getattr(field, "decimal_places", None),
    )

"""Property names: what HubSpot lets a property be called, and the name that a Django field gets."""

import hashlib
import re
import unicodedata
from collections.abc import Collection
from typing import Final

from crmsync.engine import spec

MAX_NAME: Final = 100  # characters; HubSpot: properties API
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_RESERVED: Final = ("hs_", "hubspot_")  # HubSpot's own properties begin so
_DEFAULT_PREFIX: Final = "django_"
_DEFAULT_GROUP: Final = "crmsync"


def make_name(path: str, *, prefix: str = "", infix: str = "") -> str:
    """HubSpot's name for a field: lower case, ASCII, at most 100 characters; the same one every time it is asked.

    A name that is too long keeps its beginning, and a hash keeps it apart from its like; a field in a script without
    any of these letters has nothing but a hash.
    """
    name = slug(f"{prefix}{infix}_{slug(path) or _digest(path)}")
    if not _NAME.fullmatch(name) or _is_reserved(name):
        name = f"{_DEFAULT_PREFIX}{name}"
    if len(name) <= MAX_NAME:
        return name
    digest = _digest(name)
    return f"{name[: MAX_NAME - len(digest) - 1].rstrip('_')}_{digest}"


def group_name(text: str) -> str:
    """HubSpot's name for a property group of this label."""
    found = slug(text)
    return found if _NAME.fullmatch(found) else _DEFAULT_GROUP


def slug(text: str) -> str:
    """Lower case ASCII letters, digits and single underscores; accents go, what is left of other scripts too."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or the first of name_2, name_3 … that is not taken."""
    if name not in taken:
        return name
    number = 2
    while (found := f"{name[: MAX_NAME - len(str(number)) - 1]}_{number}") in taken:
        number += 1
    return found


def find_fault(name: str) -> str:
    """Why a property cannot have this name, "" if it can."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        return (
            f"“{name[: MAX_NAME + 1]}” is no name for a property: it takes lower case letters, digits and _, begins"
            f" with a letter and has at most {MAX_NAME} characters."
        )
    if _is_reserved(name):
        return f"“{name}” is a name that HubSpot or crmsync keeps for itself. Take another one."
    return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]


def _is_reserved(name: str) -> bool:
    return name.startswith(_RESERVED) or name == spec.KEY_PROPERTY

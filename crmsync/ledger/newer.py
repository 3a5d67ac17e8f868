"""Mappings that newer code has set up, seen by an old worker of a deployment: it leaves them to the new ones."""

from collections.abc import Iterable

from django.apps import apps

from crmsync import adapters
from crmsync.engine import combined
from crmsync.ledger import specerror
from crmsync.models import Mapping
from crmsync.paths import behind


def refuse(mapping: Mapping, adapter: adapters.LocalAdapter, paths: Iterable[str]) -> None:
    """BehindError where one of a mapping's local paths is known to newer code than this process has."""
    for path in (part for one in dict.fromkeys(paths) for part in combined.parts(one)):
        try:
            adapter.describe(path)
        except adapters.LocalFieldError as error:
            if behind.is_behind(adapter.model, path):
                raise specerror.BehindError(
                    f"Mapping “{mapping}” uses {path!r}, which the code of this worker is too old to know. Its work"
                    " is left to workers with the new code; restart this one."
                ) from error


def is_newer(model_label: str, paths: Iterable[str]) -> bool:
    """As ``refuse``, for a mapping by its model's label."""
    try:
        model = apps.get_model(model_label)
    except (LookupError, ValueError):
        return False
    return any(behind.is_behind(model, part) for one in paths for part in combined.parts(one))

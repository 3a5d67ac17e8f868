"""Which databases the host's rows live in, and which of them is not crmsync's own."""

from collections.abc import Iterator

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, models, router

from crmsync import conf

# Where crmsync's own tables are; check E005 says so where a router thinks otherwise.
OWN = DEFAULT_DB_ALIAS


def home(model: type[models.Model]) -> str:
    """The database in which a model's rows are synced: where the routers send its writes."""
    return router.db_for_write(model)


def is_own(using: str) -> bool:
    """Whether what is captured on this connection is marked at once, and not left as a slip."""
    return using == OWN or not any(_is_same(using, one) for one in others())


def is_synced(model: type[models.Model], using: str) -> bool:
    """Whether a row saved there is one that is synced; a copy that ``using=`` put into another database is not."""
    return _is_same(using, home(model))


def of(model: type[models.Model], given: str | None) -> str:
    """The connection that a change of the host's was made on: the given one, unless it leads elsewhere."""
    return given if given and is_synced(model, given) else home(model)


def others() -> list[str]:
    """The databases other than crmsync's own in which captured rows live; asks the routers, no database."""
    return sorted(set(map(home, captured())) - {OWN})


def captured() -> Iterator[type[models.Model]]:
    """The models and categories that the settings name; what they name wrongly is for the checks to say."""
    try:
        options = conf.current()
    except ImproperlyConfigured:
        return
    for label in (*options.MODELS, *options.CATEGORIES):
        try:
            yield apps.get_model(label)
        except (LookupError, ValueError):
            continue


def _is_same(one: str, other: str) -> bool:
    """Two aliases may be two ways to one database, as past a connection pooler."""
    return one == other or _facts(one) == _facts(other)


def _facts(alias: str) -> tuple[object, object]:
    settings = connections[alias].settings_dict
    return settings["ENGINE"], settings["NAME"]

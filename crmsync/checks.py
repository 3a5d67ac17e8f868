"""System checks: what is wrong with a set-up, each with a number and the remedy as its hint."""

import difflib
import sys
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.models import Field, Model

from crmsync import conf
from crmsync.engine import findings
from crmsync.flows import lint
from crmsync.ledger import places, slips
from crmsync.models import Mapping, OutboxEntry, Slip
from crmsync.paths import categories, fields

CONTRACT = "crmsync_contract"
_ROUTER = "Put 'crmsync.routers.Router' first in DATABASE_ROUTERS."


def check_settings(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """E001 type, W001 unknown key, E002 runner, E003 models, E004 RQ, E005 database, E009 and W005 categories."""
    try:
        options = conf.current()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), hint="See the settings reference in the README.", id="crmsync.E001")]
    found = [*_unknown(), *_runner(options), *_models(options), *_categories(options)]
    return [*found, *_databases(), *_queue(options), *_addresses(options)]


def _unknown() -> list[checks.CheckMessage]:
    known = list(conf.Options.__dataclass_fields__)
    found = []
    for key in conf.unknown_keys():
        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Remove it; see the settings reference in the README."
        found.append(checks.Warning(f"CRMSYNC has the unknown key {key!r}.", hint=hint, id="crmsync.W001"))
    return found


def _runner(options: conf.Options) -> list[checks.CheckMessage]:
    if options.RUNNER in ("rq", "database"):
        return []
    return [
        checks.Error(
            f"CRMSYNC['RUNNER'] is {options.RUNNER!r}.",
            hint="Use 'rq' (django-rq and Redis) or 'database' (manage.py crmsync_worker).",
            id="crmsync.E002",
        )
    ]


def _models(options: conf.Options) -> list[checks.CheckMessage]:
    if not options.MODELS:
        return [
            checks.Warning(
                "No model may be synced yet.",
                hint="Name them in settings: CRMSYNC = {'MODELS': ['app_label.Model']}.",
                id="crmsync.W002",
            )
        ]
    found = []
    for label in options.MODELS:
        try:
            model = apps.get_model(label)
        except (LookupError, ValueError):
            found.append(
                checks.Error(
                    f"CRMSYNC['MODELS'] names {label!r}, which is not an installed model.",
                    hint="Write it as 'app_label.Model' and put its app into INSTALLED_APPS.",
                    id="crmsync.E003",
                )
            )
            continue
        found += _homes(label, model)
    return found


def _homes(label: str, model: type[Model]) -> list[checks.CheckMessage]:
    """A change and its mark must be one transaction: in another database than ours the mark is a slip there."""
    alias = places.home(model)
    if alias not in connections:
        return [_unsafe(f"{label} is written to the database “{alias}”, which DATABASES lacks.", "Name it there.")]
    if alias == places.OWN or router.allow_migrate_model(alias, Slip):
        return []
    sentence = f"{label} is written to the database “{alias}”, where no router lets crmsync have its table of slips."
    return [_unsafe(sentence, f"{_ROUTER} Then run manage.py migrate --database={alias}.")]


def _databases() -> list[checks.CheckMessage]:
    """What is read of our own tables must be what was written last: a replica may be behind."""
    aliases = {router.db_for_write(OutboxEntry), router.db_for_read(OutboxEntry)}
    if aliases == {places.OWN}:
        return []
    said = "”, “".join(sorted(aliases - {places.OWN}))
    return [_unsafe(f"crmsync's own tables are read or written in “{said}”, not only in “default”.", _ROUTER)]


def check_slips(app_configs, databases=None, **kwargs) -> list[checks.CheckMessage]:
    """E005: rows of the host's are in a database without our table of slips, so that saving them fails.

    Not while ``migrate`` runs, which is the remedy.
    """
    if "migrate" in sys.argv:
        return []
    return [
        _unsafe(
            f"The database “{alias}” has rows that are synced, but lacks crmsync's table of slips.",
            f"Run manage.py migrate --database={alias}.",
        )
        for alias in places.others()
        if alias in (databases or ()) and not slips.is_ready(alias)
    ]


def _unsafe(sentence: str, hint: str) -> checks.CheckMessage:
    return checks.Error(sentence, hint=hint, id="crmsync.E005")


def _categories(options: conf.Options) -> list[checks.CheckMessage]:
    """Tables of values that cannot be read as the settings say, or that could hold a value twice."""
    found: list[checks.CheckMessage] = []
    for label, column in options.CATEGORIES.items():
        try:
            model = apps.get_model(label)
            field = categories.check(model, column)
        except (LookupError, ValueError, AttributeError, fields.LocalFieldError) as error:
            found.append(_no_category(f"CRMSYNC['CATEGORIES'] names {label!r}: {error}"))
            continue
        found += _homes(label, model)
        if not _is_unique(model, field):
            found.append(
                checks.Warning(
                    f"CRMSYNC['CATEGORIES']: two rows of {label} can have the same {field.name}.",
                    hint=f"Make {field.name} unique; a value that several rows have is held back.",
                    id="crmsync.W005",
                )
            )
    known = {label.lower() for label in options.CATEGORIES}
    for label in options.CATEGORIES_CREATE:
        if str(label).lower() not in known:
            found.append(_no_category(f"CRMSYNC['CATEGORIES_CREATE'] names {label!r}, which is no category."))
    return found


def _no_category(message: str) -> checks.CheckMessage:
    hint = "Write CATEGORIES as {'app_label.Model': 'its field'}, and name in CATEGORIES_CREATE only models of it."
    return checks.Error(message, hint=hint, id="crmsync.E009")


def _is_unique(model: type[Model], field: Field) -> bool:
    return field.unique or any(tuple(one.fields) == (field.name,) for one in model._meta.total_unique_constraints)


def _queue(options: conf.Options) -> list[checks.CheckMessage]:
    if options.RUNNER != "rq":
        return []
    if not apps.is_installed("django_rq") or options.QUEUE not in getattr(settings, "RQ_QUEUES", {}):
        return [
            checks.Error(
                f"CRMSYNC['RUNNER'] is 'rq', but django_rq has no queue {options.QUEUE!r}.",
                hint="Add 'django_rq' to INSTALLED_APPS and the queue to RQ_QUEUES,"
                " or use CRMSYNC['RUNNER'] = 'database'.",
                id="crmsync.E004",
            )
        ]
    return []


def _addresses(options: conf.Options) -> list[checks.CheckMessage]:
    return [
        checks.Error(
            f"CRMSYNC[{name!r}] is not an https address.",
            hint="Only a fakehub on this machine may be called without TLS.",
            id="crmsync.E006",
        )
        for name in ("API_URL", "AUTHORIZE_URL")
        if not _is_safe(getattr(options, name))
    ]


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")


def check_fernet(app_configs, **kwargs) -> list[checks.CheckMessage]:
    """E007: another package took the folder fernet_fields. W003: the key is Django's SECRET_KEY."""
    try:
        from fernet_fields import DecryptionError, EncryptedTextField  # noqa: F401
    except ImportError:
        return [
            checks.Error(
                "The package behind 'fernet_fields' is not djfernet-redux.",
                hint="Several packages install that folder: uninstall them all, then install djfernet-redux.",
                id="crmsync.E007",
            )
        ]
    if getattr(settings, "FERNET_KEYS", None):
        return []
    return [
        checks.Warning(
            "FERNET_KEYS is not set, so secrets are encrypted with SECRET_KEY.",
            hint="Set FERNET_KEYS to a list of keys kept outside the database; else rotating SECRET_KEY loses them.",
            id="crmsync.W003",
        )
    ]


def check_contract(app_configs, databases=None, **kwargs) -> list[checks.CheckMessage]:
    """E008, W004: what ``crmsync_lint`` finds. It asks the database only where the command line names its tag.

    Django tells no check which tags were asked for, and ``migrate`` runs every check with its database: this one
    would then ask tables that are not there yet, and refuse a deployment for what somebody changed in HubSpot.
    """
    if DEFAULT_DB_ALIAS not in (databases or ()) or not any(CONTRACT in one for one in sys.argv):
        return []
    rows = Mapping.objects.select_related("portal").order_by("label")
    kinds = {
        findings.Severity.ERROR: (checks.Error, "crmsync.E008"),
        findings.Severity.WARNING: (checks.Warning, "crmsync.W004"),
    }
    return [_message(one, *kinds[one.severity]) for one in lint.of_mappings(rows) if one.severity in kinds]


def _message(one: findings.Finding, kind: type[checks.CheckMessage], number: str) -> checks.CheckMessage:
    about = f"{one.mapping}, {one.field}" if one.field else one.mapping
    return kind(f"{one.code}: {one.sentence} {one.effect}", hint=one.remedy, obj=about, id=number)


def register() -> None:
    """Register all checks."""
    checks.register(check_settings, "crmsync")
    checks.register(check_contract, CONTRACT)
    checks.register(check_slips, checks.Tags.database)
    checks.register(check_fernet, checks.Tags.security)

"""Listens to the host's models, and to the mappings that read them: each change is followed up in its transaction.

``post_save`` alone is not atomic: in autocommit Django commits the row before it sends the signal, so a
crash between the two would lose the change. These models therefore save inside a transaction of ours.
"""

import functools

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models, router, transaction
from django.db.models import signals

from crmsync import conf, jobs
from crmsync.flows import capture
from crmsync.ledger import readers
from crmsync.models import FieldMapping, Mapping, MatchKey, RuleCondition, SyncRule

_PARTS = (FieldMapping, MatchKey, SyncRule, RuleCondition)


def connect_all() -> None:
    """Connect the models of CRMSYNC['MODELS'], with their proxies and children; models unknown are for the checks."""
    _connect_mappings()
    try:
        labels = conf.current().MODELS
    except ImproperlyConfigured:
        return  # check E001 says what is wrong, in words
    for label in labels:
        try:
            connect(apps.get_model(label))
        except (LookupError, ValueError):
            continue


def connect(model: type[models.Model]) -> None:
    """Capture every save and delete of a model. Safe to call twice."""
    label = model._meta.label
    _open_transaction(model)
    for sender in [model, *_descendants(model)]:
        uid = f"crmsync:{label}"
        signals.post_save.connect(_Saved(label), sender=sender, dispatch_uid=uid, weak=False)
        signals.pre_delete.connect(_Going(label), sender=sender, dispatch_uid=uid, weak=False)
        signals.post_delete.connect(_Gone(label), sender=sender, dispatch_uid=uid, weak=False)


def disconnect(model: type[models.Model]) -> None:
    """Stop capturing a model; its saves are Django's own again."""
    uid = f"crmsync:{model._meta.label}"
    for sender in [model, *_descendants(model)]:
        for signal in (signals.post_save, signals.pre_delete, signals.post_delete):
            signal.disconnect(sender=sender, dispatch_uid=uid)
    if hasattr(vars(model).get("save_base"), "crmsync"):
        del model.save_base


def _connect_mappings() -> None:
    for model in (Mapping, *_PARTS):
        _open_transaction(model)
        signals.post_save.connect(_edited, sender=model, dispatch_uid="crmsync:readers")
    for model in _PARTS:
        signals.post_delete.connect(_cut, sender=model, dispatch_uid="crmsync:readers")


def _edited(sender, instance, raw=False, **kwargs) -> None:
    """Fixtures (raw) may bring the readers along; what they lack is made by the next sweep."""
    if not raw:
        readers.refresh(_mapping_id(instance))


def _cut(sender, instance, **kwargs) -> None:
    readers.refresh(_mapping_id(instance), may_grow=False)


def _mapping_id(one: models.Model) -> int | None:
    if isinstance(one, Mapping):
        return one.pk
    if isinstance(one, RuleCondition):
        return SyncRule.objects.filter(pk=one.rule_id).values_list("mapping_id", flat=True).first()
    return one.mapping_id


def _descendants(model: type[models.Model]) -> list[type[models.Model]]:
    """Proxies and multi-table children: Django sends only the saved class as sender."""
    return [one for one in apps.get_models(include_auto_created=False) if issubclass(one, model) and one is not model]


def _open_transaction(model: type[models.Model]) -> None:
    if "save_base" not in vars(model) or not hasattr(vars(model)["save_base"], "crmsync"):
        model.save_base = _atomic(model.save_base)


def _atomic(save_base):
    @functools.wraps(save_base)
    def save_in_transaction(self, *args, using=None, **kwargs):
        using = using or router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using, savepoint=False):
            return save_base(self, *args, using=using, **kwargs)

    save_in_transaction.crmsync = True
    return save_in_transaction


class _Receiver:
    """What one registered model's signals go to."""

    def __init__(self, label: str) -> None:
        self.label = label


class _Saved(_Receiver):
    """Fixtures (raw) are left to a backfill."""

    def __call__(self, sender, instance, using, raw=False, created=False, **kwargs) -> None:
        # A new multi-table child may stand on a parent's row that others point to.
        is_new = created and not any(sender._meta.parents.values())
        if not raw and capture.capture(self.label, instance, using, is_read=not is_new):
            jobs.ring_on_commit(using)


class _Going(_Receiver):
    """Before a delete; what points to the row is still known."""

    def __call__(self, sender, instance, using, **kwargs) -> None:
        if capture.capture_readers(self.label, instance, using):
            jobs.ring_on_commit(using)


class _Gone(_Receiver):
    """After a delete."""

    def __call__(self, sender, instance, using, **kwargs) -> None:
        if capture.capture(self.label, instance, using, is_read=False):
            jobs.ring_on_commit(using)

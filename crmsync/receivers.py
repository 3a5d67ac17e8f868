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
from crmsync.flows import capture, keys
from crmsync.ledger import readers
from crmsync.models import FieldMapping, FixedValue, Mapping, MatchKey, RuleCondition, SyncRule
from crmsync.paths import walk

_PARTS = (FieldMapping, MatchKey, SyncRule, RuleCondition, FixedValue)


def connect_all() -> None:
    """Connect the models and categories of CRMSYNC, with their kin; models unknown are for the checks."""
    _connect_mappings()
    try:
        options = conf.current()
    except ImproperlyConfigured:
        return  # check E001 says what is wrong, in words
    for label in (*options.MODELS, *options.CATEGORIES):
        try:
            connect(apps.get_model(label))
        except (LookupError, ValueError):
            continue


def connect(model: type[models.Model]) -> None:
    """Capture every save and delete of a model, and of its many-to-many relations. Safe to call twice."""
    label = model._meta.label
    for sender in _kin(model):
        _open_transaction(sender)
        keys.remember(sender)
        for signal, receiver in _receivers(model, sender):
            signal.connect(receiver, sender=sender, dispatch_uid=f"crmsync:{label}", weak=False)
    for field, between in _many(model):
        signals.m2m_changed.connect(
            _Members(label, field), sender=between, dispatch_uid=f"crmsync:{label}:{field.name}", weak=False
        )
        if not between._meta.auto_created:
            connect(between)


def disconnect(model: type[models.Model]) -> None:
    """Stop capturing a model; its saves are Django's own again."""
    label = model._meta.label
    for sender in _kin(model):
        for signal, _ in _receivers(model, sender):
            signal.disconnect(sender=sender, dispatch_uid=f"crmsync:{label}")
        keys.forget(sender)
        if hasattr(vars(sender).get("save_base"), "crmsync"):
            del sender.save_base
    for field, between in _many(model):
        signals.m2m_changed.disconnect(sender=between, dispatch_uid=f"crmsync:{label}:{field.name}")
        if not between._meta.auto_created:
            disconnect(between)


def _receivers(model: type[models.Model], sender: type[models.Model]) -> list[tuple]:
    """What listens to a sender for a model. A multi-table parent is deleted with its child, which says so itself."""
    label = model._meta.label
    if not issubclass(sender._meta.concrete_model, model._meta.concrete_model):
        return [(signals.post_save, _Saved(label, child=model))]
    return [
        (signals.pre_save, _Moving(label)),
        (signals.post_save, _Saved(label)),
        (signals.pre_delete, _Going(label)),
        (signals.post_delete, _Gone(label)),
    ]


def _many(model: type[models.Model]) -> list[tuple]:
    """The model's many-to-many fields, each with the model of the rows between."""
    return [(field, walk.through_of(field)) for field in model._meta.many_to_many]


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


def _kin(model: type[models.Model]) -> list[type[models.Model]]:
    """The model, its proxies, multi-table parents and children, parents first: Django sends the saved class alone."""
    found = [one for one in apps.get_models() if walk.is_kin(one, model)]
    return sorted(found if model in found else [model, *found], key=lambda one: len(one.__mro__))


def _open_transaction(model: type[models.Model]) -> None:
    if not hasattr(model.save_base, "crmsync"):
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


class _Moving(_Receiver):
    """Before a save that lets the row point elsewhere; who reads it now, will not be found afterwards."""

    def __call__(self, sender, instance, using, raw=False, update_fields=None, **kwargs) -> None:
        if raw or not keys.is_moving(instance, update_fields):
            return
        if capture.capture_readers(self.label, instance, using, is_moving=True):
            jobs.ring_on_commit(using)


class _Saved(_Receiver):
    """Fixtures (raw) are left to a backfill. ``child``: the multi-table child that the saved row may belong to."""

    def __init__(self, label: str, child: type[models.Model] | None = None) -> None:
        super().__init__(label)
        self.child = child

    def __call__(self, sender, instance, using, raw=False, created=False, **kwargs) -> None:
        keys.note(instance)
        if raw or (self.child and not self.child._base_manager.using(using).filter(pk=instance.pk).exists()):
            return
        # A new multi-table child may stand on a parent's row that others point to.
        is_new = created and not any(sender._meta.parents.values())
        if capture.capture(self.label, instance, using, is_new=is_new):
            jobs.ring_on_commit(using)


class _Going(_Receiver):
    """Before a delete; what points to the row is still known."""

    def __call__(self, sender, instance, using, **kwargs) -> None:
        if capture.capture_readers(self.label, instance, using):
            jobs.ring_on_commit(using)


class _Gone(_Receiver):
    """After a delete."""

    def __call__(self, sender, instance, using, **kwargs) -> None:
        if capture.capture(self.label, instance, using, is_gone=True):
            jobs.ring_on_commit(using)


class _Members(_Receiver):
    """A many-to-many relation gets or loses rows, from either end."""

    def __init__(self, label: str, field: models.ManyToManyField) -> None:
        super().__init__(label)
        self.field = field

    def __call__(self, sender, instance, action, reverse, pk_set, using, **kwargs) -> None:
        if action == "pre_clear":
            pks = self._other_end(sender, instance, reverse, using)
        else:
            pks = pk_set if action in ("post_add", "post_remove") else ()
        if not pks:
            return
        own, others = (pks, [instance.pk]) if reverse else ([instance.pk], pks)
        if self.field.remote_field.symmetrical:
            own = [*own, *others]
        if capture.capture_members(self.label, self.field, own, others, using):
            jobs.ring_on_commit(using)

    def _other_end(self, between, instance, reverse: bool, using: str) -> list:
        ends = self.field.m2m_field_name(), self.field.m2m_reverse_field_name()
        mine, theirs = reversed(ends) if reverse else ends
        rows = between._base_manager.using(using).filter(**{mine: instance.pk})
        return list(rows.values_list(theirs, flat=True))

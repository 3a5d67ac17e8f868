"""Policies of a field mapping's values: what cannot work of defaults, added options, movement and pace, and why."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from crmsync import adapters
from crmsync.admin import catalogue
from crmsync.engine import terms
from crmsync.ledger import book, fieldvalues
from crmsync.models import RemoteProperty

Fault = tuple[str, str]
"""A form field and the sentence beside it."""


def find_faults(
    known: catalogue.Catalogue, cleaned: Mapping[str, object], local: adapters.LocalField, remote: RemoteProperty
) -> Iterator[Fault]:
    """What is wrong with a row as entered; nothing of what its form does not show."""
    whole, own = terms.Direction(known.mapping.direction), terms.Direction(cleaned["direction"])
    pushes, pulls = whole.pushes and own.pushes, whole.pulls and own.pulls
    policy = cleaned.get("unmapped")
    if policy == terms.UnmappedPolicy.DEFAULT:
        ends = [
            ("default_remote", pushes, known.remote_values(remote.name)),
            ("default_local", pulls, known.local_values(local.path)),
        ]
        for name, flows, values in ends:
            yield from _default(name, str(cleaned.get(name) or ""), values, flows=flows)
    if policy == terms.UnmappedPolicy.ADD:
        yield from _adding(remote, pushes=pushes)
    if cleaned.get("movement") not in (None, terms.Movement.ANY):
        yield from _movement(known, remote)
    if cleaned.get("throttle_minutes") and not pushes:
        yield "throttle_minutes", _("Only what is sent to HubSpot can be slowed down. Enter 0.")


def _default(name: str, value: str, values: list[tuple[str, str]], *, flows: bool) -> Iterator[Fault]:
    if flows and not value:
        yield name, _("Give the value that stands for those that are not mapped.")
    known = {one for one, _label in values}
    if value and known and value not in known:
        text = _("“%(value)s” is not one of: %(known)s.")
        yield name, text % {"value": value, "known": ", ".join(sorted(known))}


def _adding(remote: RemoteProperty, *, pushes: bool) -> Iterator[Fault]:
    if not pushes:
        yield "unmapped", _("Options are only added to HubSpot, and this row sends nothing there. Choose another.")
    elif not fieldvalues.can_add_options(remote, book.remote_type(remote)):
        text = _("“%(name)s” has no options of its own that could be added to. Choose another.")
        yield "unmapped", text % {"name": remote.name}


def _movement(known: catalogue.Catalogue, remote: RemoteProperty) -> Iterator[Fault]:
    is_ordered = book.remote_type(remote) is not terms.RemoteType.CHECKBOXES
    if not (is_ordered and known.remote_values(remote.name)):
        text = _("“%(name)s” has no options in an order, so nothing moves forward or back. Choose “any way”.")
        yield "movement", text % {"name": remote.name}

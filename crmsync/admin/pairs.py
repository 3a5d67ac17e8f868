"""Whether a Django field and a HubSpot property can be a pair: the sentence that says why not, beside its row."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crmsync import adapters
from crmsync.admin import catalogue
from crmsync.engine import across, combined, convert, terms
from crmsync.ledger import book, specs
from crmsync.models import FieldMapping, RemoteProperty


def check_local(known: catalogue.Catalogue, path: str) -> adapters.LocalField | None:
    """The field a path names; ValidationError where it cannot be mapped, None while no model is chosen."""
    if known.adapter is None:
        return None
    try:
        return known.adapter.describe(path)
    except adapters.LocalFieldError as error:
        raise ValidationError(str(error)) from error


def check_remote(known: catalogue.Catalogue, name: str) -> RemoteProperty | None:
    """The property of a name; ValidationError where there is none, None while no object type is chosen."""
    if combined.is_combined(name):
        return _check_combined(known, name)
    if not known.is_chosen or name in known.remote:
        return known.remote.get(name)
    object_type = known.mapping.object_type
    if not known.remote:
        raise ValidationError(
            _(
                "The properties of %(type)s are not known yet. Save the mapping without this row, press"
                " “Refresh fields” on the portal's page, then add it."
            )
            % {"type": object_type}
        )
    raise ValidationError(
        _(
            "%(type)s of this portal have no property “%(name)s”. Choose another, or press “Refresh fields” on the"
            " portal's page if it was added just now."
        )
        % {"type": object_type, "name": name}
    )


def check_field(known: catalogue.Catalogue, name: str) -> RemoteProperty | None:
    """As ``check_remote``, for a field, which may take the value of an associated record over."""
    if not across.is_across(name) or combined.is_combined(name) or not known.is_chosen:
        return check_remote(known, name)
    if name in known.across:
        return known.across[name]
    if fault := across.find_fault(name):
        raise ValidationError(fault)
    raise ValidationError(
        _(
            "%(type)s cannot be associated with records that have “%(name)s”. Choose one from the list, or press"
            " “Refresh fields” on the portal's page if it was added just now."
        )
        % {"type": known.mapping.object_type, "name": name}
    )


def _check_combined(known: catalogue.Catalogue, name: str) -> RemoteProperty | None:
    """A text made of several properties, which nobody can write; each part is checked by itself."""
    if fault := combined.find_fault(name):
        raise ValidationError(fault)
    found = [check_remote(known, one) for one in combined.parts(name)]
    return RemoteProperty(name=name, type="string", is_read_only=True) if all(found) else None


def check_pair(known: catalogue.Catalogue, row: FieldMapping, local: adapters.LocalField, remote: RemoteProperty):
    """ValidationError, by field, where the two ends cannot be joined the way the row says."""
    try:
        kind = book.remote_type(remote)
    except specs.SpecError as error:
        raise ValidationError({"remote": str(error)}) from error
    if not convert.is_possible(local.local_type, kind):
        raise ValidationError(
            {
                "remote": _(
                    "“%(local)s” holds %(local_type)s, “%(remote)s” holds %(remote_type)s: one cannot become the"
                    " other. Choose another property."
                )
                % {
                    "local": row.local,
                    "local_type": _(local.local_type.label),
                    "remote": row.remote,
                    "remote_type": _(kind.label),
                }
            }
        )
    _check_ways(known, row, local, remote)


def _check_ways(known: catalogue.Catalogue, row: FieldMapping, local: adapters.LocalField, remote: RemoteProperty):
    whole, own = terms.Direction(known.mapping.direction), terms.Direction(row.direction)
    if own.pushes and across.is_across(row.remote):
        text = _("“%(name)s” is a value of an associated record, which is only read.")
        remedy = _("Set this row's direction to “from HubSpot”.")
        raise ValidationError({"direction": f"{text % {'name': row.remote}} {remedy}"})
    if whole.pushes and own.pushes and remote.is_read_only:
        text = _("HubSpot lets nobody write “%(name)s”. Set this row's direction to “from HubSpot”.")
        raise ValidationError({"direction": text % {"name": row.remote}})
    if whole.pulls and own.pulls and not local.is_writable:
        text = _("“%(name)s” cannot be written in Django. Set this row's direction to “to HubSpot”.")
        raise ValidationError({"direction": text % {"name": row.local}})


def check_targets(whole: terms.Direction, rows: Iterable[FieldMapping]) -> list[str]:
    """Two active rows must not write the same field or property: each would undo the other."""
    problems, seen = [], set()
    for row in rows:
        own = terms.Direction(row.direction)
        targets = [("Django", row.local)] if whole.pulls and own.pulls else []
        targets += [("HubSpot", row.remote)] if whole.pushes and own.pushes else []
        for target in targets:
            if target in seen:
                text = _("Two rows write “%(name)s” in %(side)s. Make one of them one-way, or switch it off.")
                problems.append(text % {"name": target[1], "side": target[0]})
            seen.add(target)
    return problems

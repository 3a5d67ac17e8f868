"""Round-trip proof of a mapping as it is set up now: nothing is called, nothing is written, nothing is stopped by it.

It knows what HubSpot makes of a value that is sent, which the engine is told.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from crmsync.engine import echo, errors, spec, terms
from crmsync.engine import prove as engine
from crmsync.ledger import specs, steps
from crmsync.models import Mapping, UserLink

# Beside the portal's own: one zone with summer time far behind UTC, one with half an hour and without summer time.
ZONES: Final = ("America/New_York", "Asia/Kolkata")

_ACROSS_EMAIL: Final = "contacts>email"  # the same property, read across an association
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def prove(mapping: Mapping) -> engine.Proof:
    """The proof of all active fields; SpecError where the mapping cannot run at all."""
    loaded = specs.check(mapping)
    fields = tuple(_with_owners(mapping, one) for one in loaded.fields)
    return engine.prove(
        replace(loaded, fields=fields), settle=settle_of(mapping.object_type), zones=list(_zones(mapping))
    )


def open_changes(mapping: Mapping, proof: engine.Proof) -> list[tuple[engine.FieldProof, engine.Finding]]:
    """What comes back different and no person accepted."""
    return proof.open_changes(steps.accepted(mapping).keys())


def settle_of(object_type: str) -> echo.Settle:
    """What HubSpot keeps of a text, for the properties of an object type.

    E-mail of contacts: trimmed, in lower case; ConvertError where it is no address. Numbers: plain digits. Dates:
    the day; date and time: UTC with milliseconds; both also where epoch milliseconds are sent. Checkboxes: each
    option once. Anything else, and what it could not read, as it is. (HubSpot: CRM properties guide; contacts,
    e-mail; webhooks, values.)
    """

    def settle(text: str, one: spec.FieldSpec) -> str:
        if (object_type, one.remote) == ("contacts", "email") or one.remote == _ACROSS_EMAIL:
            return _keep_address(text)
        keeps = _KEEPS.get(one.remote_type)
        try:
            return keeps(text) if keeps else text
        except (ValueError, OverflowError, InvalidOperation):
            return text

    return settle


def _keep_address(text: str) -> str:
    kept = text.strip().lower()
    name, sign, domain = kept.partition("@")
    if not (name and sign and domain) or any(one.isspace() for one in kept):
        raise errors.ConvertError(
            terms.Problem.TYPE, "HubSpot refuses a contact's e-mail that is no address. Correct it."
        )
    return kept


def _keep_number(text: str) -> str:
    number = Decimal(text)
    said = f"{number:f}"
    said = said.rstrip("0").rstrip(".") if "." in said else said
    return said if number else "0"


def _keep_day(text: str) -> str:
    if _is_milliseconds(text):
        return _moment(text).date().isoformat()
    return date.fromisoformat(text).isoformat()


def _keep_moment(text: str) -> str:
    moment = _moment(text) if _is_milliseconds(text) else datetime.fromisoformat(text).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _keep_options(text: str) -> str:
    return ";".join(dict.fromkeys(filter(None, text.split(";"))))


def _is_milliseconds(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _moment(milliseconds: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))


_KEEPS: Final = {
    terms.RemoteType.NUMBER: _keep_number,
    terms.RemoteType.DATE: _keep_day,
    terms.RemoteType.DATETIME: _keep_moment,
    terms.RemoteType.CHECKBOXES: _keep_options,
}


def _with_owners(mapping: Mapping, one: spec.FieldSpec) -> spec.FieldSpec:
    """With all owners of the portal as the property's options, so that those without a user are tried too."""
    if one.remote_type is not terms.RemoteType.OWNER or one.local_type is not terms.LocalType.USER:
        return one
    owners = UserLink.objects.filter(portal_id=mapping.portal_id).values_list("owner_id", flat=True)
    return replace(one, options=frozenset(owners))


def _zones(mapping: Mapping) -> Iterator[tzinfo]:
    for name in dict.fromkeys((mapping.portal.time_zone, *ZONES)):
        try:
            yield ZoneInfo(name)
        except (KeyError, ValueError):  # HubSpot's name is not one of this machine's
            continue

"""Creates in HubSpot the properties of fields that have none yet."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import transaction
from fernet_fields import DecryptionError

from crmsync import conf
from crmsync.engine import provisioning, terms
from crmsync.flows import access, discover, environment, failures, lifecycle, meter, obstacle, propose
from crmsync.hubspot import client as hubspot_client
from crmsync.hubspot import errors, properties, types
from crmsync.ledger import fieldrows
from crmsync.models import Mapping as MappingRow
from crmsync.models import Portal, RemoteProperty
from crmsync.sides import remote

Step = provisioning.Step


class ProvisionError(Exception):
    """Why nothing was created: one sentence with the remedy."""


class Outcome(terms.Term):
    """What became of one field's property."""

    CREATED = "created", "created"
    EXISTED = "existed", "existed already"
    EXTENDED = "extended", "options were added"
    REFUSED = "refused", "refused"


@dataclass(frozen=True, slots=True)
class Done:
    """``why`` it was refused; ``is_joined``: a field mapping was added for it, or switched on again."""

    decision: provisioning.Decision
    outcome: Outcome
    why: str = ""
    is_joined: bool = False


# --- Properties for fields ----------------------------------------------------------------------------------------


def plan(mapping: MappingRow, wanted: Mapping[str, str]) -> tuple[provisioning.Decision, ...]:
    """What becomes of each wanted field -> name of its property ("": the proposed one), by what HubSpot has now.

    ProvisionError where HubSpot cannot be asked, propose.ProposalError where a field cannot be mapped.
    """
    book = propose.Book(mapping)
    with _told(mapping.portal):
        client = remote.client_for(access.access_of(mapping.portal))
        return book.decide(wanted, _read(client, mapping.object_type))


def carry_out(
    mapping: MappingRow, wanted: Mapping[str, str], *, extends: Collection[str] = (), by_id: int | None = None
) -> tuple[Done, ...]:
    """Create what ``plan`` says, and join each property with its field, in the direction to HubSpot.

    It is planned again: what was created meanwhile is used, so that it may run twice, or twice at once. ``extends``:
    the fields whose new choices may be added to a list of options. Errors as ``plan``.
    """
    if why := obstacle.of_mapping(mapping):
        raise ProvisionError(why)
    book = propose.Book(mapping)
    with _told(mapping.portal):
        client = remote.client_for(access.access_of(mapping.portal))
        decisions = book.decide(wanted, _read(client, mapping.object_type))
        done = _carry_out(client, mapping.object_type, decisions, extends)
        if any(one.outcome is not Outcome.REFUSED for one in done):
            discover.refresh(mapping.portal, mapping.object_type)
    return _join(mapping, done, by_id)


def create(portal: Portal, object_type: str, drafts: Iterable[provisioning.Draft]) -> tuple[Done, ...]:
    """Create properties that belong to no mapping yet, and read the portal's again. Errors as ``carry_out``."""
    if why := obstacle.of_portal(portal, object_type):
        raise ProvisionError(why)
    with _told(portal):
        client = remote.client_for(access.access_of(portal))
        decisions = provisioning.decide(drafts, _read(client, object_type), {})
        done = _carry_out(client, object_type, decisions, ())
        discover.refresh(portal, object_type)
    return done


@contextmanager
def _told(portal: Portal) -> Iterator[None]:
    """What HubSpot refuses as a whole is a sentence, and what it means for the portal is remembered."""
    try:
        yield
    except (errors.HubSpotError, DecryptionError) as error:
        verdict = failures.classify(error)
        failures.note(portal, verdict)
        raise ProvisionError(verdict.message) from error
    finally:
        meter.write()


def _read(client: hubspot_client.Client, object_type: str) -> dict[str, provisioning.Present]:
    """The properties of a type by name as HubSpot has them now, archived ones too."""
    found = {one.name: _present(one) for one in properties.list_all(client, object_type, archived=True)}
    return found | {one.name: _present(one) for one in properties.list_all(client, object_type)}


def _present(one: types.Property) -> provisioning.Present:
    return provisioning.Present(
        name=one.name,
        type=one.type,
        field_type=one.field_type,
        options=frozenset(option.value for option in one.options),
        is_owner=one.name == "hubspot_owner_id" or one.referenced_object_type == "OWNER",
        is_read_only=not one.is_writable,
        is_archived=one.is_archived,
        is_ours=propose.is_ours(one.description),
    )


def _carry_out(
    client: hubspot_client.Client,
    object_type: str,
    decisions: Iterable[provisioning.Decision],
    extends: Collection[str],
) -> tuple[Done, ...]:
    creates = [one.draft for one in decisions if one.step is Step.CREATE]
    for name in sorted({one.group for one in creates}):
        properties.ensure_group(client, object_type, name, conf.current().PROPERTY_GROUP or name)
    settled, created = types.Settled(), frozenset()
    if creates:
        settled, created = properties.ensure_all(client, object_type, [_new(one) for one in creates])
        _raise_if_whole(settled)
    done = []
    for one in decisions:
        if one.step is Step.CREATE:
            done.append(_created(one, settled, is_new=one.draft.name in created))
        elif one.step is Step.EXTEND:
            done.append(_extended(client, object_type, one, is_confirmed=one.draft.local in extends))
        else:
            outcome = Outcome.REFUSED if one.step is Step.REFUSE else Outcome.EXISTED
            done.append(Done(one, outcome, one.why))
    return tuple(done)


def _new(one: provisioning.Draft) -> types.NewProperty:
    return types.NewProperty(
        name=one.name,
        label=one.label,
        type=one.type,
        field_type=one.field_type,
        group=one.group,
        description=environment.mark(f"Sent by crmsync from {one.source}."),
        options=_options(one.options),
        referenced_object_type="OWNER" if one.is_owner else "",
    )


def _options(given: provisioning.Options) -> tuple[types.Option, ...]:
    return tuple(types.Option(value, label, place) for place, (value, label) in enumerate(given))


def _raise_if_whole(settled: properties.Properties) -> None:
    """Raise what is no fault of one property: a missing scope, a limit, no answer. What was made is found later."""
    for error in settled.failed.values():
        if failures.classify(error).kind is not failures.Kind.PARK:
            raise error


def _created(one: provisioning.Decision, settled: properties.Properties, *, is_new: bool) -> Done:
    """Whoever was faster may have made another property of that name, and an archived one comes back as it was."""
    name = one.draft.name
    if name in settled.failed:
        return Done(one, Outcome.REFUSED, _reason(settled.failed[name]))
    (found,) = provisioning.decide([one.draft], {name: _present(settled.done[name])}, {})
    if found.step is not Step.USE:
        return Done(one, Outcome.REFUSED, found.why or _LACKS)
    return Done(one, Outcome.CREATED if is_new else Outcome.EXISTED)


def _extended(
    client: hubspot_client.Client, object_type: str, one: provisioning.Decision, *, is_confirmed: bool
) -> Done:
    if not is_confirmed:
        return Done(one, Outcome.REFUSED, _LACKS)
    try:
        properties.add_options(client, object_type, one.draft.name, _options(one.added))
    except errors.HubSpotError as error:
        if failures.classify(error).kind is not failures.Kind.PARK:
            raise
        return Done(one, Outcome.REFUSED, _reason(error))
    return Done(one, Outcome.EXTENDED)


def _reason(error: errors.HubSpotError) -> str:
    """HubSpot's own words: they are about a definition of ours, and quote no person's values."""
    return f"HubSpot refused it: {error.message[:_LONGEST]}" if error.message else str(error)


_LONGEST = 300  # characters of HubSpot's sentence, which may repeat all options
_LACKS = "The property lacks options that Django has as choices. Look at what would be added, and confirm it."
_UNSEEN = "HubSpot does not list the property yet. Run it again in a minute; it will be used as it is."


def _join(mapping: MappingRow, done: Iterable[Done], by_id: int | None) -> tuple[Done, ...]:
    """Field mappings for what is there now; a property that the list does not show yet would stop the mapping."""
    names = {one.decision.draft.name for one in done if one.outcome is not Outcome.REFUSED}
    rows = RemoteProperty.objects.filter(
        portal=mapping.portal_id, object_type=mapping.object_type, name__in=names, is_archived=False
    )
    names -= (unseen := names - set(rows.values_list("name", flat=True)))
    pairs = [(one.decision.draft.local, one.decision.draft.name) for one in done]
    with transaction.atomic():
        locked = fieldrows.lock(mapping)
        joined = fieldrows.add_pushes(locked, [pair for pair in pairs if pair[1] in names])
        if joined:
            lifecycle.note_edit(locked, by_id)  # its signal also finds out which related rows the new fields read
    return tuple(
        replace(one, why=_UNSEEN if pair[1] in unseen else one.why, is_joined=pair in joined)
        for one, pair in zip(done, pairs, strict=True)
    )

"""Prerequisites: what a portal must have before a mapping can work there, and which of it is missing.

It never says "missing" of what nobody looked at: that is "unknown".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from crmsync.engine import discovered, scopes, spec, terms, tiers

OAUTH: Final = "oauth"
STATIC: Final = "static"
SERVICE_KEY: Final = "service_key"
UNIQUE_SLOTS: Final = 10  # HubSpot: properties API, hasUniqueValue: at most ten for an object type
LONGEST_SLUG: Final = 80  # characters: keys are stored


class Status(terms.Term):
    DONE = "done", "done"
    MISSING = "missing", "missing"
    MANUAL = "manual", "to be done by hand"
    UNKNOWN = "unknown", "not known"


@dataclass(frozen=True, slots=True)
class Item:
    """One prerequisite. ``key`` is a slug, stable and unique within its mapping, to remember the item by."""

    key: str
    title: str
    state: Status
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class PropertyUse:
    """A property that is mapped; ``values`` are the option values of HubSpot that its value map names."""

    name: str
    pushes: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineUse:
    """A pipeline that is mapped, and the stages of it, all by id."""

    id: str
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingFacts:
    """What a mapping asks of a portal. ``workflows``: in words, what somebody must build in HubSpot itself."""

    label: str
    object_type: str
    pushes: bool = True
    pulls: bool = True
    properties: tuple[PropertyUse, ...] = ()
    pipelines: tuple[PipelineUse, ...] = ()
    uses_owners: bool = False
    creates_key_property: bool = False
    key_property: str = spec.KEY_PROPERTY
    is_custom_object: bool = False
    wants_webhooks: bool = False
    workflows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PortalFacts:
    """What is known of a portal. An object type that a table lacks was not asked about.

    ``properties``: by object type, by name. ``pipelines``: by object type, stage ids by pipeline id.
    ``credential``: OAUTH, STATIC or SERVICE_KEY. ``webhook_seen``: one arrived from this portal.
    """

    object_types: frozenset[str] = frozenset()
    properties: Mapping[str, Mapping[str, discovered.PropertyFacts]] = field(default_factory=dict)
    pipelines: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    scopes_known: bool = False
    tier: tiers.Tier = tiers.Tier.UNKNOWN
    credential: str = STATIC
    webhook_seen: bool = False


def needs(mapping: MappingFacts, portal: PortalFacts) -> tuple[Item, ...]:
    """Everything the mapping needs there, done or not, in the order to see to it."""
    return (
        *_tier(mapping, portal),
        *_scopes(mapping, portal),
        _object_type(mapping, portal),
        *_properties(mapping, portal),
        *_pipelines(mapping, portal),
        *_key_property(mapping, portal),
        *_webhooks(mapping, portal),
        *_workflows(mapping),
    )


def _tier(mapping: MappingFacts, portal: PortalFacts) -> Iterator[Item]:
    feature = tiers.find_feature(portal.tier, tiers.CUSTOM_OBJECTS)
    if not mapping.is_custom_object or feature is None:
        return
    state = _BY_FEATURE[feature.state]
    if mapping.object_type in portal.object_types:
        state = Status.DONE  # it is there: whatever the headers made us guess, the account has the feature
    detail = f"{feature.words} This one is: {portal.tier.label}."
    remedy = "" if state is Status.DONE else "Ask HubSpot for the tier, or map a standard object type."
    yield Item(f"tier.{feature.key}", feature.title, state, detail, remedy)


def _scopes(mapping: MappingFacts, portal: PortalFacts) -> Iterator[Item]:
    use = scopes.Use(
        mapping=mapping.label,
        object_type=mapping.object_type,
        reads=mapping.pulls,
        writes=mapping.pushes,
        creates_properties=mapping.creates_key_property and not _find_key(mapping, portal),
        uses_owners=mapping.uses_owners,
    )
    for need in scopes.needed([use], oauth=portal.credential == OAUTH):
        detail = f"It allows {scopes.unlocked_by(need.scope)}."
        if need.is_optional:
            detail += " Everything else works without it."
        state = Status.DONE if need.is_met(portal.scopes) else Status.MISSING
        if not portal.scopes_known:
            state, detail = Status.UNKNOWN, f"{detail} HubSpot does not say whether it is granted."
        remedy = "" if state is Status.DONE else _GRANT.get(portal.credential, _GRANT[STATIC])
        yield Item(f"scope.{need.scope}", f"Scope {need.scope}", state, detail, remedy)


def _object_type(mapping: MappingFacts, portal: PortalFacts) -> Item:
    key, title = "object_type", f"Object type {mapping.object_type}"
    if mapping.object_type in portal.object_types:
        return Item(key, title, Status.DONE)
    if not portal.object_types:
        return Item(key, title, Status.UNKNOWN, "The portal's object types were not read yet.", _REFRESH)
    detail = f"HubSpot shows no object type {mapping.object_type} to this credential."
    return Item(key, title, Status.MISSING, detail, f"Create it in HubSpot, or grant its scopes. {_REFRESH}")


def _properties(mapping: MappingFacts, portal: PortalFacts) -> Iterator[Item]:
    known = portal.properties.get(mapping.object_type)
    for use in mapping.properties:
        key, title = f"property.{use.name}", f"Property {use.name}"
        if known is None:
            yield Item(key, title, Status.UNKNOWN, "The portal's properties were not read yet.", _REFRESH)
            continue
        detail, remedy = _judge_property(use, known.get(use.name))
        yield Item(key, title, Status.MISSING if detail else Status.DONE, detail, remedy)


def _judge_property(use: PropertyUse, found: discovered.PropertyFacts | None) -> tuple[str, str]:
    """(what is wrong, what to do); blank where nothing is."""
    if found is None or not found.exists:
        return f"HubSpot has no property {use.name}.", f"Create it in HubSpot, or map another one. {_REFRESH}"
    if use.pushes and found.is_read_only:
        return f"HubSpot lets nobody write {use.name}.", "Let the field flow from HubSpot only, or map another one."
    unknown = [one for one in use.values if one not in found.options] if found.options else []
    if unknown:
        return f"{use.name} has no option {_quoted(unknown)}.", "Add it in HubSpot, or change the value map."
    return "", ""


def _pipelines(mapping: MappingFacts, portal: PortalFacts) -> Iterator[Item]:
    known = portal.pipelines.get(mapping.object_type)
    if len(mapping.pipelines) > 1 and known is not None:
        yield _count_pipelines(mapping, known)
    for use in mapping.pipelines:
        key, title = f"pipeline.{use.id}", f"Pipeline {use.id}"
        if known is None:
            yield Item(key, title, Status.UNKNOWN, "The portal's pipelines were not read yet.", _REFRESH)
            continue
        stages = known.get(use.id)
        if stages is None:
            yield Item(key, title, Status.MISSING, _no_pipeline(mapping, use, known), _add_pipeline(portal.tier))
            continue
        unknown = [one for one in use.stages if one not in stages]
        detail = f"The pipeline has no stage {_quoted(unknown)}." if unknown else ""
        remedy = f"Add it in HubSpot, or change the stage map. {_REFRESH}" if unknown else ""
        yield Item(key, title, Status.MISSING if unknown else Status.DONE, detail, remedy)


def _count_pipelines(mapping: MappingFacts, known: Mapping[str, frozenset[str]]) -> Item:
    wanted = len({use.id for use in mapping.pipelines})
    state = Status.DONE if len(known) >= wanted else Status.MISSING
    detail = f"The mapping uses {wanted} pipelines of {mapping.object_type}; HubSpot has {len(known)}."
    remedy = "" if state is Status.DONE else "Add the missing ones in HubSpot."
    return Item("pipelines", f"{wanted} pipelines for {mapping.object_type}", state, detail, remedy)


def _no_pipeline(mapping: MappingFacts, use: PipelineUse, known: Mapping[str, frozenset[str]]) -> str:
    if len(known) == 1:
        return f"HubSpot has one pipeline for {mapping.object_type}, and it is not {use.id}: a second one is needed."
    return f"HubSpot has {len(known)} pipelines for {mapping.object_type}, and none of them is {use.id}."


def _add_pipeline(tier: tiers.Tier) -> str:
    feature = tiers.find_feature(tier, tiers.SEVERAL_PIPELINES)
    return f"Add it in HubSpot, or map another one. {feature.words if feature else ''} {_REFRESH}"


def _key_property(mapping: MappingFacts, portal: PortalFacts) -> Iterator[Item]:
    if not mapping.creates_key_property:
        return
    key, title = "key_property", f"Room for the unique property {mapping.key_property}"
    known = portal.properties.get(mapping.object_type)
    if known is None:
        yield Item(key, title, Status.UNKNOWN, "The portal's properties were not read yet.", _REFRESH)
        return
    found = _find_key(mapping, portal)
    if found is not None:
        detail = "" if found.is_unique else "HubSpot has the property, but its values need not be unique."
        remedy = "" if found.is_unique else "HubSpot cannot change that: delete the property, crmsync makes it anew."
        yield Item(key, title, Status.DONE if found.is_unique else Status.MISSING, detail, remedy)
        return
    # HubSpot's own ids are unique as well and take none of the slots.
    used = sum(one.is_unique and one.exists and not name.startswith("hs_") for name, one in known.items())
    is_free = used < UNIQUE_SLOTS
    yield Item(
        key,
        title,
        Status.DONE if is_free else Status.MISSING,
        f"{used} of {UNIQUE_SLOTS} unique properties of {mapping.object_type} are in use.",
        ""
        if is_free
        else "Delete a unique property that nobody needs, or let this mapping create nothing in HubSpot.",
    )


def _find_key(mapping: MappingFacts, portal: PortalFacts) -> discovered.PropertyFacts | None:
    found = portal.properties.get(mapping.object_type, {}).get(mapping.key_property)
    return found if found is not None and found.exists else None


def _webhooks(mapping: MappingFacts, portal: PortalFacts) -> Iterator[Item]:
    if not mapping.wants_webhooks:
        return
    if portal.credential == SERVICE_KEY:
        # Nothing is left to do about it, so it is done: a red item for ever would be no checklist.
        detail = "Webhooks are impossible with a service key: changes in HubSpot are found by polling."
        yield Item("webhooks", "Changes from HubSpot by polling", Status.DONE, detail)
        return
    if portal.webhook_seen:
        yield Item("webhooks", "Webhook subscriptions", Status.DONE, "A webhook has arrived from this portal.")
        return
    detail = "No webhook has arrived yet: until then, changes in HubSpot are found by polling."
    yield Item("webhooks", "Webhook subscriptions", Status.MANUAL, detail, _SUBSCRIBE)


def _workflows(mapping: MappingFacts) -> Iterator[Item]:
    taken: set[str] = set()
    for words in dict.fromkeys(mapping.workflows):
        slug = re.sub(r"\W+", "-", words.casefold()).strip("-")[:LONGEST_SLUG] or "workflow"
        key = next(one for one in (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)
        taken.add(key)
        detail = "crmsync can neither see nor make workflows of HubSpot."
        yield Item(f"workflow.{key}", f"HubSpot workflow: {words}", Status.MANUAL, detail, "Build it in HubSpot.")


def _quoted(values: list[str]) -> str:
    return ", ".join(f"“{one}”" for one in values)


_REFRESH: Final = "Then refresh the portal's fields."
_SUBSCRIBE: Final = "Subscribe the app in HubSpot to the events listed on the portal's page."
_GRANT: Final = {
    OAUTH: "Connect the portal again, so that HubSpot asks for it.",
    STATIC: "Add it to the app in HubSpot, then test the connection.",
    SERVICE_KEY: "Add it to the service key in HubSpot, then test the connection.",
}
_BY_FEATURE: Final = {
    tiers.FeatureState.AVAILABLE: Status.DONE,
    tiers.FeatureState.UNAVAILABLE: Status.MISSING,
    tiers.FeatureState.UNKNOWN: Status.UNKNOWN,
}

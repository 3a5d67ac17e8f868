"""Prerequisites: what a mapping needs in a portal, and what of it is missing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import discovered, prerequisites, tiers

P = discovered.PropertyFacts
STAGE = P("enumeration", frozenset({"new", "won"}))
PORTAL = prerequisites.PortalFacts(
    object_types=frozenset({"contacts", "deals"}),
    properties={"deals": {"amount": P("number"), "stage_word": STAGE, "days_open": P("number", is_read_only=True)}},
    pipelines={"deals": {"default": frozenset({"s1", "s2"})}},
    scopes=frozenset({"crm.objects.deals.read", "crm.objects.deals.write", "crm.schemas.deals.read"}),
    scopes_known=True,
    tier=tiers.Tier.PROFESSIONAL,
)
QUOTES = prerequisites.MappingFacts("Quotes", "deals")


def items(mapping=QUOTES, portal=PORTAL, prefix=""):
    return {one.key: one for one in prerequisites.needs(mapping, portal) if one.key.startswith(prefix)}


def only(mapping=QUOTES, portal=PORTAL, prefix=""):
    (found,) = items(mapping, portal, prefix).values()
    return found


def use(*names, **facts):
    return replace(QUOTES, properties=tuple(prerequisites.PropertyUse(one, **facts) for one in names))


def piped(*uses):
    return replace(QUOTES, pipelines=tuple(prerequisites.PipelineUse(*one) for one in uses))


def test_a_mapping_whose_portal_has_everything_is_done():
    """A18: nothing is missing, and each thing that was looked at is listed."""
    found = items(replace(piped(("default", ("s1",))), properties=(prerequisites.PropertyUse("amount"),)))
    assert {one.state for one in found.values()} == {"done"}
    assert list(found) == [
        "scope.crm.objects.deals.read",
        "scope.crm.objects.deals.write",
        "scope.crm.schemas.deals.read",
        "object_type",
        "property.amount",
        "pipeline.default",
    ]


@pytest.mark.parametrize(
    ("object_types", "state"), [({"deals"}, "done"), ({"contacts"}, "missing"), (set(), "unknown")]
)
def test_the_object_type(object_types, state):
    """A18: the object type, and unknown where discovery never ran."""
    found = only(portal=replace(PORTAL, object_types=frozenset(object_types)), prefix="object_type")
    assert (found.state, bool(found.remedy)) == (state, state != "done")


@pytest.mark.parametrize(
    ("name", "facts", "state", "detail"),
    [
        ("amount", {"pushes": True}, "done", ""),
        ("nothing", {}, "missing", "HubSpot has no property nothing."),
        ("days_open", {"pushes": True}, "missing", "HubSpot lets nobody write days_open."),
        ("days_open", {}, "done", ""),
        ("stage_word", {"values": ("new", "won")}, "done", ""),
        ("stage_word", {"values": ("new", "lost", "gone")}, "missing", "stage_word has no option “lost”, “gone”."),
        ("amount", {"values": ("any",)}, "done", ""),
    ],
)
def test_properties(name, facts, state, detail):
    """A18: there, writable where it is pushed, with every option that the value map names."""
    found = only(use(name, **facts), prefix="property")
    assert (found.key, found.state, found.detail) == (f"property.{name}", state, detail)
    assert bool(found.remedy) == (state != "done")


def test_an_archived_property_is_missing():
    portal = replace(PORTAL, properties={"deals": {"amount": P("number", exists=False)}})
    assert only(use("amount"), portal, "property").state == "missing"


def test_what_was_not_read_is_unknown():
    """A18: a portal that was never discovered lacks nothing that anybody knows of."""
    portal = prerequisites.PortalFacts()
    mapping = replace(use("amount"), pipelines=(prerequisites.PipelineUse("default"),), creates_key_property=True)
    assert {one.state for one in items(mapping, portal).values()} == {"unknown"}


def test_a_second_pipeline_that_is_not_there_yet():
    """A18, A11: HubSpot has one pipeline, the mapping needs another."""
    found = only(piped(("care", ())), prefix="pipeline")
    assert found.state == "missing"
    assert "a second one is needed" in found.detail
    assert "Add it in HubSpot" in found.remedy


def test_two_pipelines_where_hubspot_has_one():
    """A18: the second pipeline is counted, and the missing one is named."""
    found = items(piped(("default", ("s1",)), ("care", ())), prefix="pipeline")
    assert {key: one.state for key, one in found.items()} == {
        "pipelines": "missing",
        "pipeline.default": "done",
        "pipeline.care": "missing",
    }
    assert found["pipelines"].detail == "The mapping uses 2 pipelines of deals; HubSpot has 1."


def test_two_pipelines_where_hubspot_has_both():
    portal = replace(PORTAL, pipelines={"deals": {"default": frozenset(), "care": frozenset()}})
    found = items(piped(("default", ()), ("care", ())), portal, "pipeline")
    assert {one.state for one in found.values()} == {"done"}


def test_a_stage_that_is_gone():
    found = only(piped(("default", ("s1", "s9"))), prefix="pipeline")
    assert (found.state, found.detail) == ("missing", "The pipeline has no stage “s9”.")


def unique(count, *more):
    named = {f"key_{n}": P(is_unique=True) for n in range(count)}
    own = {"hs_object_id": P(is_unique=True), "old": P(is_unique=True, exists=False)}
    return replace(PORTAL, properties={"deals": {**named, **own, **dict(more)}})


@pytest.mark.parametrize(
    ("portal", "state", "detail"),
    [
        (unique(0), "done", "0 of 10 unique properties of deals are in use."),
        (unique(9), "done", "9 of 10 unique properties of deals are in use."),
        (unique(10), "missing", "10 of 10 unique properties of deals are in use."),
        (unique(10, ("crmsync_key", P(is_unique=True))), "done", ""),
        (
            unique(0, ("crmsync_key", P())),
            "missing",
            "HubSpot has the property, but its values need not be unique.",
        ),
    ],
)
def test_the_key_property_needs_one_of_ten_unique_slots(portal, state, detail):
    """A18: a limit that would otherwise show with the first record."""
    found = only(replace(QUOTES, creates_key_property=True), portal, "key_property")
    assert (found.state, found.detail) == (state, detail)
    assert bool(found.remedy) == (state == "missing")


def test_a_missing_scope_is_named_with_what_it_allows():
    """A18, C9: by scope, what for, and where to grant it."""
    portal = replace(PORTAL, scopes=PORTAL.scopes - {"crm.objects.deals.write"})
    found = items(portal=portal)["scope.crm.objects.deals.write"]
    assert (found.state, found.detail) == ("missing", "It allows writing deals.")
    assert "app" in found.remedy


@pytest.mark.parametrize(
    ("credential", "word"), [("oauth", "again"), ("static", "app"), ("service_key", "key"), ("other", "app")]
)
def test_the_remedy_fits_the_credential(credential, word):
    portal = replace(PORTAL, scopes=frozenset(), credential=credential)
    found = items(portal=portal, prefix="scope")
    assert all(word in one.remedy for one in found.values())
    assert ("scope.oauth" in found) == (credential == "oauth")


def test_an_optional_scope_says_that_the_rest_works_without_it():
    """C10."""
    found = items(replace(QUOTES, uses_owners=True))["scope.crm.objects.owners.read"]
    assert found.state == "missing"
    assert found.detail.endswith("Everything else works without it.")


def test_scopes_are_unknown_where_hubspot_does_not_tell():
    """C9."""
    found = items(portal=replace(PORTAL, scopes=frozenset(), scopes_known=False), prefix="scope")
    assert {one.state for one in found.values()} == {"unknown"}


def test_the_scope_to_create_properties_is_asked_for_until_the_property_is_there():
    """F23: the least scope: none to create what exists."""
    mapping = replace(QUOTES, creates_key_property=True)
    assert "scope.crm.schemas.deals.write" in items(mapping)
    assert "scope.crm.schemas.deals.write" not in items(mapping, unique(0, ("crmsync_key", P(is_unique=True))))


@pytest.mark.parametrize(
    ("tier", "types", "state"),
    [
        (tiers.Tier.PROFESSIONAL, set(), "missing"),
        (tiers.Tier.ENTERPRISE, set(), "done"),
        (tiers.Tier.UNKNOWN, set(), "unknown"),
        (tiers.Tier.PROFESSIONAL, {"2-7"}, "done"),
    ],
)
def test_a_feature_that_the_tier_lacks(tier, types, state):
    """A18, C7: unavailable on this tier; an object type that is there beats the guess."""
    mapping = replace(QUOTES, object_type="2-7", is_custom_object=True)
    found = only(mapping, replace(PORTAL, tier=tier, object_types=frozenset(types)), "tier")
    assert (found.key, found.state) == ("tier.custom_objects", state)
    assert bool(found.remedy) == (state != "done")


@pytest.mark.parametrize(
    ("facts", "state", "word"),
    [
        ({"webhook_seen": True}, "done", "arrived"),
        ({"webhook_seen": False}, "manual", "polling"),
        ({"credential": "oauth"}, "manual", "polling"),
        ({"credential": "service_key"}, "done", "impossible"),
    ],
)
def test_webhook_subscriptions(facts, state, word):
    """A26: a step by hand until one arrives; with a service key there are none, and polling is used."""
    found = only(replace(QUOTES, wants_webhooks=True), replace(PORTAL, **facts), "webhooks")
    assert found.state == state
    assert word in found.detail


def test_workflows_are_listed_only_when_the_mapping_is_told_of_them():
    """A26: HubSpot-side workflows needed are steps by hand, each with a key that a tick can be stored by."""
    words = ("Mail on “Closed won”!", "mail on closed won", "Mail on “Closed won”!", "…", "Письмо", "x" * 300)
    found = items(replace(QUOTES, workflows=words), prefix="workflow")
    assert list(found) == [
        "workflow.mail-on-closed-won",
        "workflow.mail-on-closed-won-2",
        "workflow.workflow",
        "workflow.письмо",
        "workflow." + "x" * 80,
    ]
    assert {one.state for one in found.values()} == {"manual"}
    assert not items(prefix="workflow")


NAMES = st.sampled_from(["amount", "stage_word", "days_open", "x", "default", "care"])
MAPPINGS = st.builds(
    prerequisites.MappingFacts,
    label=st.just("M"),
    object_type=st.sampled_from(["deals", "contacts", "2-7"]),
    pushes=st.booleans(),
    pulls=st.booleans(),
    properties=st.lists(st.builds(prerequisites.PropertyUse, NAMES), unique_by=lambda one: one.name).map(tuple),
    pipelines=st.lists(st.builds(prerequisites.PipelineUse, NAMES), unique_by=lambda one: one.id).map(tuple),
    uses_owners=st.booleans(),
    creates_key_property=st.booleans(),
    is_custom_object=st.booleans(),
    wants_webhooks=st.booleans(),
    workflows=st.lists(st.text(max_size=3), max_size=6).map(tuple),
)
PORTALS = st.sampled_from(
    [PORTAL, unique(10), prerequisites.PortalFacts(), replace(PORTAL, credential="service_key")]
)


@given(MAPPINGS, PORTALS)
def test_every_item_has_a_key_of_its_own_and_what_is_not_done_has_a_remedy(mapping, portal):
    """A18, A26: the stored state of a step belongs to that step, and each open step says what to do."""
    found = prerequisites.needs(mapping, portal)
    keys = [one.key for one in found]
    assert len(keys) == len(set(keys))
    assert all(len(one) <= 100 for one in keys)
    assert all(one.remedy for one in found if one.state != "done")
    assert prerequisites.needs(mapping, portal) == found

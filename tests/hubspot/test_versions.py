"""Paths of every family in each supported version, how long each lasts, and which family a path is of."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import errors, versions


@pytest.mark.parametrize("version", versions.SUPPORTED)
def test_the_path_map(version):
    paths = versions.paths(version)
    assert paths.objects("contacts", "batch", "read") == f"/crm/objects/{version}/contacts/batch/read"
    assert paths.associations("0-1", "0-2", "labels") == f"/crm/associations/{version}/0-1/0-2/labels"
    assert paths.properties("deals") == f"/crm/properties/{version}/deals"
    assert paths.property_validations("0-1") == f"/crm/property-validations/{version}/0-1"
    assert paths.schemas("2-1") == f"/crm-object-schemas/{version}/schemas/2-1"
    assert paths.pipelines("deals") == f"/crm/pipelines/{version}/deals"
    assert paths.owners() == f"/crm/owners/{version}"
    assert paths.lists() == f"/crm/lists/{version}"
    assert paths.limits("records") == f"/crm/limits/{version}/records"
    assert paths.imports() == f"/crm/imports/{version}"
    assert paths.exports() == f"/crm/exports/{version}/export/async"
    assert paths.account_info("details") == f"/account-info/{version}/details"
    assert paths.oauth_token("introspect") == f"/oauth/{version}/token/introspect"
    assert paths.app_installs("external-install") == f"/appinstalls/{version}/external-install"
    assert paths.timeline("events") == f"/integrators/timeline/{version}/events"
    assert paths.webhooks_journal("journal", "earliest") == f"/webhooks-journal/journal/{version}/earliest"
    assert paths.static_token_info() == "/oauth/v2/private-apps/get/access-token-info"


def test_the_family_that_was_renamed():
    assert versions.paths("2026-03").app_webhooks("7") == "/webhooks/2026-03/7"
    assert versions.paths("2026-09").app_webhooks("7") == "/app-webhooks/2026-09/7"


@pytest.mark.parametrize("version", ["", "v3", "2025-09", "2026-09 "])
def test_an_unknown_version_names_the_supported_ones(version):
    with pytest.raises(errors.ConfigError, match="2026-09, 2026-03"):
        versions.paths(version)


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_cannot_lead_elsewhere(segment):
    with pytest.raises(ValueError, match="segment"):
        versions.paths("2026-09").objects("contacts", segment)


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_segment_stays_one_segment(segment):
    path = versions.paths("2026-09").objects("contacts", segment)
    assert path.count("/") == 5
    assert not set(path) & set("?#\\ \n")


def test_every_version_we_speak_has_a_release_date():
    """F22: the date is what the countdown to the end of support counts from."""
    assert set(versions.RELEASED) == set(versions.SUPPORTED)
    assert max(versions.RELEASED, key=versions.RELEASED.get) == versions.CURRENT


@pytest.mark.parametrize(("version", "day"), [("2026-03", date(2027, 9, 30)), ("2026-09", date(2028, 3, 8))])
def test_support_ends_18_months_after_the_release(version, day):
    """F22."""
    assert versions.support_ends(version) == day


def test_a_release_on_a_day_that_the_last_month_has_not(monkeypatch):
    monkeypatch.setitem(versions.RELEASED, "2026-03", date(2026, 8, 31))
    assert versions.support_ends("2026-03") == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("version", "today", "current"),
    [
        ("2026-03", date(2026, 3, 29), False),
        ("2026-03", date(2026, 3, 30), True),
        ("2026-03", date(2026, 9, 7), True),
        ("2026-03", date(2026, 9, 8), False),
        ("2026-09", date(2026, 9, 7), False),
        ("2026-09", date(2026, 9, 8), True),
        ("2026-09", date(2027, 3, 7), True),
        ("2026-09", date(2027, 3, 8), False),
    ],
)
def test_which_version_is_current(version, today, current):
    """F22: for six months, and only until the next one."""
    assert versions.is_current(version, today) is current


def test_the_next_version():
    """F22: what a rehearsal would switch to."""
    assert versions.next_after("2026-03") == "2026-09"
    assert versions.next_after("2026-09") is None


@pytest.mark.parametrize("ask", [versions.support_ends, versions.next_after])
def test_dates_of_an_unknown_version(ask):
    with pytest.raises(errors.ConfigError, match="2026-09, 2026-03"):
        ask("v3")


@pytest.mark.parametrize("version", versions.SUPPORTED)
def test_the_family_of_every_path(version):
    """C31, F22: calls are counted by family and version."""
    paths = versions.paths(version)
    families = {
        paths.objects("contacts"): "objects",
        paths.objects("contacts", "search"): "search",
        paths.objects("contacts", "batch", "read"): "objects",
        paths.objects("contacts", "51", "associations", "deals"): "associations",
        paths.objects("2-123", "v3"): "objects",
        paths.associations("0-1", "0-2", "labels"): "associations",
        paths.properties("deals"): "properties",
        paths.property_validations("0-1"): "validations",
        paths.schemas("2-1"): "schemas",
        paths.pipelines("deals"): "pipelines",
        paths.owners(): "owners",
        paths.limits("records"): "limits",
        paths.account_info("details"): "account",
        paths.oauth_token("introspect"): "oauth",
        paths.app_installs("external-install"): "oauth",
        paths.lists(): "other",
        paths.timeline("events"): "other",
    }
    assert {path: versions.family_of(path) for path in families} == {
        path: (family, version) for path, family in families.items()
    }


@pytest.mark.parametrize("path", ["/", "/x/y", "/crm/objects"])
def test_the_family_of_a_path_nobody_knows(path):
    assert versions.family_of(path) == ("other", "")


def test_a_path_without_a_date():
    assert versions.family_of(versions.paths("2026-09").static_token_info()) == ("oauth", "v2")

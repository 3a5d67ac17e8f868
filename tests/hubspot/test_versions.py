"""Paths of every family in each supported version."""

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

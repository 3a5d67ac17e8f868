"""Fixed values on a mapping's page: chosen by field, checked against what the field knows, without JavaScript."""

import pytest

from crmsync.models import FixedValue, Mapping
from tests import factories


@pytest.fixture
def mapping(db) -> Mapping:
    found = factories.make_mapping()
    facts = {"portal": found.portal, "object_type": found.object_type}
    factories.RemotePropertyFactory(
        **facts, name="kind", type="enumeration", options=[["shop", "A shop"], ["school", "A school"]]
    )
    factories.RemotePropertyFactory(**facts, name="createdate", type="datetime", is_read_only=True)
    return found


def _save(boss, pages, mapping: Mapping, **values: object):
    data = {f"fixed_values-0-{name}": value for name, value in values.items()}
    return boss.post(pages.of(mapping), pages.fill(boss.get(pages.of(mapping)), **data))


def test_a_fixed_value_is_saved_and_grows_the_revision(boss, pages, mapping):
    """X16: form-built, no code; the row decides unless told otherwise."""
    assert _save(boss, pages, mapping, side="remote", field="kind", value="shop").status_code == 302
    row = FixedValue.objects.get()
    assert (row.side, row.field, row.value, row.decides) == ("remote", "kind", "shop", True)
    assert Mapping.objects.get().revision == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"side": "remote", "field": "kind", "value": "bakery"}, "“bakery” is not one of: school, shop."),
        ({"side": "remote", "field": "town", "value": "x"}, "have no property “town”"),
        ({"side": "remote", "field": "createdate", "value": "2026-05-31"}, "cannot be written there"),
        ({"side": "local", "field": "town", "value": "x"}, "has no field"),
        ({"side": "local", "field": "status", "value": "nobody"}, "“nobody” is not one of"),
        ({"side": "local", "field": "birth_date", "value": "soon"}, "“soon” is no date"),
        ({"side": "local", "field": "organisation__name", "value": "x"}, "cannot be written there"),
        ({"side": "remote", "field": "email", "value": "a@example.com"}, "Take one of them out"),
        ({"side": "remote", "field": "kind", "value": ""}, "required"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_row(boss, pages, mapping, values, words):
    assert words in _save(boss, pages, mapping, **values).content.decode()
    assert not FixedValue.objects.exists()


def test_a_field_that_writes_a_fixed_value_is_refused(boss, pages, mapping):
    """Two writers: the field row is refused as well, whichever came first."""
    factories.FixedValueFactory(mapping=mapping, side="remote", field="kind", value="shop")
    row = {"fields-0-local": "bio", "fields-0-remote": "kind", "fields-0-direction": "push"}
    assert (
        "kind in HubSpot has a fixed value"
        in boss.post(pages.of(mapping), pages.fill(boss.get(pages.of(mapping)), **row)).content.decode()
    )


def test_fields_and_values_are_suggested(boss, pages, mapping):
    """Inputs with suggestions work without JavaScript; a row's own field has suggestions of its own."""
    factories.FixedValueFactory(mapping=mapping, side="remote", field="kind", value="shop")
    html = boss.get(pages.of(mapping)).content.decode()
    assert 'list="crmsync-ends"' in html
    assert '<datalist id="crmsync-known-values-remote-kind">' in html
    assert '<option value="school">A school</option>' in html
    assert '<option value="school">kind: A school</option>' in html


def test_a_mapping_kept_in_a_file_shows_its_fixed_values_only(boss, pages, mapping):
    factories.FixedValueFactory(mapping=mapping, side="remote", field="kind", value="shop")
    Mapping.objects.update(locked_by="mappings.json")
    html = boss.get(pages.of(mapping)).content.decode()
    assert "fixed_values-0-value" not in html
    assert "shop" in html

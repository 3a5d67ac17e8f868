"""HubSpot's JSON as values, whatever it holds."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import errors, object_types, shapes

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("2020-02-29T03:30:17.000Z", datetime(2020, 2, 29, 3, 30, 17, tzinfo=UTC)),
        ("2020-02-29T03:30:17+02:00", datetime(2020, 2, 29, 1, 30, 17, tzinfo=UTC)),
        ("2020-02-29T03:30:17", datetime(2020, 2, 29, 3, 30, 17, tzinfo=UTC)),
        ("2020-02-29", datetime(2020, 2, 29, tzinfo=UTC)),
        (1582947017000, datetime(2020, 2, 29, 3, 30, 17, tzinfo=UTC)),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        (10**30, None),
        (float("nan"), None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_times_are_aware_utc_or_none(raw, wanted):
    """Fault 38: canonical UTC, and no crash at the ends of time."""
    assert shapes.to_time(raw) == wanted


@settings(deadline=None)
@given(ANYTHING)
def test_any_json_is_a_record_or_an_unknown_outcome(raw):
    """Fault 14: no other exception leaves the room."""
    for wrapped in (raw, {"id": "1", "properties": raw}, {"id": raw, "propertiesWithHistory": raw}):
        try:
            found = shapes.read_as(shapes.to_record, wrapped)
        except errors.UnknownOutcome:
            continue
        assert found.id
        assert all(value is None or isinstance(value, str) for value in found.properties.values())


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["results", "paging", "errors", "total", "next"]), ANYTHING))
def test_any_object_is_a_page_or_an_unknown_outcome(body):
    """Fault 14."""
    shapes.error_items(body)
    shapes.next_after(body)
    try:
        page = shapes.to_page(body, shapes.to_record)
    except errors.UnknownOutcome:
        return
    assert page.total is None or isinstance(page.total, int)


def test_what_could_not_be_read_is_not_quoted():
    """C18: neither the error nor its chain holds the value."""
    with pytest.raises(errors.UnknownOutcome) as caught:
        shapes.read_as(lambda raw: int(raw["x"]), {"x": "ada@x.test"})
    assert caught.value.__context__ is None


def test_object_types_have_one_name():
    assert object_types.name_of("0-1") == object_types.name_of("contacts") == "contacts"
    assert object_types.name_of("2-99") == "2-99"

"""Generated values cross to HubSpot and come back as they were."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import convert, spec, terms

L = terms.LocalType
R = terms.RemoteType
SUMMER = timezone(timedelta(hours=2))


def field(local_type=L.TEXT, remote_type=R.STRING, **facts):
    return spec.FieldSpec(1, "one", "uno", local_type=local_type, remote_type=remote_type, **facts)


@given(st.text(), st.sampled_from(list(R)))
def test_no_remote_text_raises_and_each_is_its_own_canonical_text(text, remote_type):
    one = field(remote_type=remote_type)
    said = convert.remote_text(text, one)
    assert convert.remote_text(said, one) == said


CROSSINGS = {
    L.TEXT: st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    L.INTEGER: st.integers(-(2**63) + 1, 2**63 - 1),
    L.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4),
    L.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    L.BOOLEAN: st.booleans(),
    L.DATE: st.dates(),
    L.DATETIME: st.datetimes(timezones=st.sampled_from([UTC, SUMMER]), min_value=datetime(1, 1, 2)),
    L.MULTI: st.frozensets(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1),
}
OWN_TYPE = {
    L.TEXT: R.STRING,
    L.INTEGER: R.NUMBER,
    L.DECIMAL: R.NUMBER,
    L.FLOAT: R.NUMBER,
    L.BOOLEAN: R.BOOL,
    L.DATE: R.DATE,
    L.DATETIME: R.DATETIME,
    L.MULTI: R.CHECKBOXES,
}


@pytest.mark.parametrize("local_type", list(CROSSINGS))
def test_a_trip_to_hubspot_and_back_plans_nothing(local_type):
    """Fault 42: push, read, compare is equal, for the type's own property and for a text property."""

    @given(CROSSINGS[local_type], st.sampled_from([OWN_TYPE[local_type], R.STRING]))
    def cross(value, remote_type):
        one = field(local_type, remote_type, decimal_places=4)
        sent = convert.to_remote(value, one)
        assert convert.remote_text(sent, one) == sent
        back = convert.from_remote(sent, one)
        assert convert.local_text(back, one) == convert.local_text(value, one)
        assert convert.to_remote(back, one) == sent

    cross()


def test_microseconds_make_no_difference():
    """I8: HubSpot keeps milliseconds; the rest of a local time must not look like a change for ever."""
    one = field(L.DATETIME, R.DATETIME)
    saved = datetime(2024, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
    shown = "2024-05-01T12:30:15.123Z"
    assert convert.local_text(saved, one) == convert.local_text(convert.from_remote(shown, one), one)

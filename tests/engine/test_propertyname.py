"""Names of properties: HubSpot takes every one that is made, and the same field always gets the same one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import propertyname
from crmsync.engine.propertyname import MAX_NAME, find_fault, free_name, group_name, make_name


@pytest.mark.parametrize(
    ("path", "prefix", "infix", "name"),
    [
        ("birth_date", "django_", "person", "django_person_birth_date"),
        ("organisation__name", "django_", "person", "django_person_organisation_name"),
        ("zone", "", "größé", "groe_zone"),
        ("BirthDate", "Shop-", "Person", "shop_person_birthdate"),
        ("id", "", "", "id"),
        ("id", "hs_", "person", "django_hs_person_id"),
        ("id", "9", "lives", "django_9lives_id"),
        ("key", "", "crmsync", "django_crmsync_key"),
    ],
)
def test_a_name(path, prefix, infix, name) -> None:
    """U20: prefix, infix and field, in HubSpot's alphabet, and none of HubSpot's own."""
    assert make_name(path, prefix=prefix, infix=infix) == name


def test_fields_in_another_script_stay_apart() -> None:
    names = {make_name(path, prefix="django_", infix="person") for path in ("имя", "отчество")}
    assert len(names) == 2
    assert not any(map(find_fault, names))


@given(st.text(max_size=300), st.text(max_size=30), st.text(max_size=100))
def test_hubspot_takes_every_name(path: str, prefix: str, infix: str) -> None:
    """U20: at most 100 characters, lower case, a letter first, never reserved; and it is the same again."""
    name = make_name(path, prefix=prefix, infix=infix)
    assert find_fault(name) == ""
    assert make_name(path, prefix=prefix, infix=infix) == name


def test_long_names_stay_apart() -> None:
    one, other = (make_name("field_" + "x" * 120 + end, prefix="django_", infix="person") for end in "ab")
    assert (len(one), len(other)) == (MAX_NAME, MAX_NAME)
    assert one != other


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "_a", "a b", "a-b", "ä", "x" * 101, "hs_x", "hubspot_x", "crmsync_key"]
)
def test_a_name_that_cannot_be(name) -> None:
    """HubSpot: properties API."""
    assert find_fault(name)


def test_a_free_name() -> None:
    assert free_name("a", set()) == "a"
    assert free_name("a", {"a", "a_2"}) == "a_3"
    assert find_fault(free_name("x" * MAX_NAME, {"x" * MAX_NAME})) == ""


@pytest.mark.parametrize(
    ("label", "name"), [("Our Shop", "our_shop"), ("", "crmsync"), ("42", "crmsync"), ("x", "x")]
)
def test_a_group(label, name) -> None:
    """C32."""
    assert group_name(label) == name
    assert propertyname.slug(name) == name

"""Paths to properties of associated records, and which of several records counts."""

import pytest

from crmsync.engine import across, changes, plan, record, spec, terms
from crmsync.engine.across import Partner

CONTACT_OF_COMPANY = ("contacts", "companies")
DEAL_OF_CONTACT = ("deals", "contacts")


def field(id: int, remote: str, **facts) -> spec.FieldSpec:
    return spec.FieldSpec(id, f"local{id}", remote, **{"direction": terms.Direction.PULL, **facts})


def mapping(*fields: spec.FieldSpec, direction: terms.Direction = terms.Direction.BOTH) -> spec.MappingSpec:
    return spec.MappingSpec(1, 1, 1, "demo.Person", "contacts", direction, fields)


@pytest.mark.parametrize(
    ("remote", "parts"),
    [("companies>industry", ("companies", "industry")), ("industry", ("", "industry")), ("2-7>a", ("2-7", "a"))],
)
def test_a_path_names_type_and_property(remote, parts) -> None:
    """U19."""
    assert across.split(remote) == parts
    assert across.is_across(remote) == bool(parts[0])
    assert across.is_across(remote) == (across.join(*parts) == remote)


@pytest.mark.parametrize("remote", ["companies>", ">industry", ">", "contacts>companies>industry", "a>b+a>c", "city"])
def test_what_is_no_path_has_a_fault(remote) -> None:
    """U19: the sentence shows how one is written."""
    assert "such as companies>industry" in across.find_fault(remote)
    assert across.find_fault("companies>industry") == ""


@pytest.mark.parametrize(
    ("pair", "partners", "chosen"),
    [
        (CONTACT_OF_COMPANY, [], None),
        (CONTACT_OF_COMPANY, [Partner("1", ("Primary", "")), Partner("2", ("",))], "1"),
        (
            CONTACT_OF_COMPANY,
            [Partner("1", ("",))],
            None,
        ),  # HubSpot knows the primary company, and here there is none
        (CONTACT_OF_COMPANY, [Partner("1", ("primary ",))], "1"),
        (DEAL_OF_CONTACT, [Partner("1", ("",))], "1"),
        (DEAL_OF_CONTACT, [Partner("1"), Partner("2")], None),
        (DEAL_OF_CONTACT, [Partner("1", ("Buyer",)), Partner("2", ("Primary",))], "2"),
        (DEAL_OF_CONTACT, [Partner("1", ("Primary",)), Partner("2", ("Primary",))], None),
    ],
)
def test_the_primary_one_counts(pair, partners, chosen) -> None:
    """U19: the labelled primary one; where HubSpot keeps none, the only one."""
    found = across.choose(*pair, partners)
    assert (found.id if found else None) == chosen


def test_what_a_mapping_reads() -> None:
    """U19: only what flows, and only what can work now."""
    hold = spec.Hold(terms.Problem.PROPERTY_GONE, "gone", terms.SideName.REMOTE)
    fields = (
        field(1, "companies>b"),
        field(2, "companies>a"),
        field(3, "city"),
        field(4, "deals>x", held=hold),
        field(5, "deals>y", direction=terms.Direction.PUSH),
    )
    assert across.read_by(mapping(*fields)) == {"companies": ["a", "b"]}
    assert across.read_by(mapping(*fields, direction=terms.Direction.PUSH)) == {}
    assert across.types_of(one.remote for one in fields) == ("companies", "deals")


def test_values_by_path_with_their_source() -> None:
    """U19: whose they are, or how many there are to choose from."""
    one, two = Partner("7", ("Primary",)), Partner("8")
    found = across.make_values("companies", ["city", "name"], [one, two], one, {"city": "Rome"})
    assert (found["companies>city"], found["companies>name"]) == ("Rome", None)
    assert across.source_of(found, "companies") == [None, "7"]
    blank = across.make_values("companies", ["city"], [one, two], None, {})
    assert (blank["companies>city"], across.source_of(blank, "companies")) == (None, None)


def planned(base: dict[int, changes.BaseValue], **facts) -> changes.PairPlan:
    """The plan of a linked contact with two companies, none of them the primary one."""
    one = mapping(field(1, "companies>city", **facts))
    values = across.make_values("companies", ["city"], [Partner("7"), Partner("8")], None, {})
    local = record.Record(record.RecordKey("demo.person", "1"), {"local1": "Rome"})
    remote = record.Record(record.RecordKey("contacts", "1"), values)
    pair = changes.Pair(local=local, remote=remote, link=changes.LinkState(1, base))
    (found,) = plan.make_plan(one, [pair], None).pairs
    return found


def test_a_value_that_goes_blank_says_why_once() -> None:
    """U19, X14: the note with how many there are; the blank policy decides about the value."""
    kept = planned({1: changes.BaseValue("Rome", "Rome")})
    assert [note.code for note in kept.notes] == ["no_primary"]
    assert "companies (2 associated)" in kept.notes[0].message
    assert kept.local_writes == ()
    assert planned({1: changes.BaseValue("Rome", None)}).notes == ()
    cleared = planned({1: changes.BaseValue("Rome", "Rome")}, blanks=terms.BlankPolicy.CLEAR)
    assert [write.value for write in cleared.local_writes] == [None]
    assert cleared.notes

"""The property of a field: every type of field gets one that holds its values, and what is there is judged."""

import pytest

from crmsync.engine import convert, provisioning, terms
from crmsync.engine.provisioning import LocalFact, Present, Step
from crmsync.fakehub import definitions

LOCAL = terms.LocalType
CHOICES = (("lead", "Lead"), ("won", "Won"))


def draft(kind: terms.LocalType = LOCAL.TEXT, name: str = "x", **facts: object) -> provisioning.Draft:
    return provisioning.make_draft(LocalFact("a__b", "label", kind, **facts), name=name, group="crmsync")


def present(name: str = "x", type: str = "string", field_type: str = "text", **facts: object) -> Present:
    return Present(name, type, field_type, **facts)


def decide(one: provisioning.Draft, *there: Present, **taken: str) -> provisioning.Decision:
    (found,) = provisioning.decide([one], {each.name: each for each in there}, taken)
    return found


@pytest.mark.parametrize(
    ("kind", "facts", "shape"),
    [
        (LOCAL.TEXT, {}, ("string", "text")),
        (LOCAL.TEXT, {"is_long": True}, ("string", "textarea")),
        (LOCAL.TEXT, {"choices": CHOICES}, ("enumeration", "select")),
        (LOCAL.INTEGER, {}, ("number", "number")),
        (LOCAL.INTEGER, {"choices": (("1", "One"), ("2", "Two"))}, ("enumeration", "select")),
        (LOCAL.DECIMAL, {}, ("number", "number")),
        (LOCAL.FLOAT, {}, ("number", "number")),
        (LOCAL.BOOLEAN, {}, ("bool", "booleancheckbox")),
        (LOCAL.DATE, {}, ("date", "date")),
        (LOCAL.DATETIME, {}, ("datetime", "date")),
        (LOCAL.MULTI, {"choices": CHOICES}, ("enumeration", "checkbox")),
        (LOCAL.MULTI, {}, ("string", "textarea")),
        (LOCAL.USER, {}, ("enumeration", "select")),
    ],
)
def test_every_type_gets_a_property_that_holds_it(kind, facts, shape) -> None:
    """U20: a pair that HubSpot takes, and to which the field can be sent."""
    one = draft(kind, **facts)
    assert (one.type, one.field_type) == shape
    definitions.check_pair(one.type, one.field_type, [{"value": value} for value, _ in one.options])
    remote = {each.label: each for each in terms.RemoteType}[one.kind]
    assert convert.is_possible(kind, remote)
    assert (one.is_owner, one.kind == "HubSpot owner") == (kind is LOCAL.USER,) * 2


def test_all_types_were_asked() -> None:
    for kind in LOCAL:
        assert draft(kind).type


def test_a_bool_has_the_two_options_hubspot_demands() -> None:
    assert {value for value, _ in draft(LOCAL.BOOLEAN).options} == {"true", "false"}


@pytest.mark.parametrize(
    ("choices", "options"),
    [
        ((("b", "B"), ("a", "A")), (("b", "B"), ("a", "A"))),
        ((("", "---"), ("a", "A")), (("a", "A"),)),
        ((("a", ""), ("b", "  ")), (("a", "a"), ("b", "b"))),
        ((("a", "Other"), ("b", "other")), (("a", "Other"), ("b", "other (b)"))),
        ((("a", "First"), ("a", "Second")), (("a", "First"),)),
        ((("a;b", "A"),), ()),
        (((" a", "A"),), ()),
        (tuple((str(number), "x") for number in range(provisioning.MAX_OPTIONS + 1)), ()),
    ],
)
def test_options_are_the_choices_in_their_order(choices, options) -> None:
    """U20: blank choices are none, labels are told apart, and what HubSpot cannot hold as it is makes it text."""
    one = draft(choices=choices)
    assert one.options == options
    assert one.type == ("enumeration" if options else "string")


def test_the_label_is_what_staff_read() -> None:
    assert draft().label == "Label"
    unnamed = provisioning.make_draft(LocalFact("a__b_c", "", LOCAL.TEXT), name="x", group="crmsync")
    assert unnamed.label == "A b c"


# --- What is there already ----------------------------------------------------------------------------------------


def test_nothing_there_is_created() -> None:
    assert decide(draft()).step is Step.CREATE


@pytest.mark.parametrize(
    ("one", "there"),
    [
        (draft(), present()),
        (draft(), present(field_type="textarea")),
        (draft(LOCAL.DECIMAL), present(type="number", field_type="number")),
        (draft(choices=CHOICES), present(type="enumeration", field_type="radio", options={"lead", "won", "z"})),
        (draft(LOCAL.USER), present(type="enumeration", field_type="select", is_owner=True)),
    ],
)
def test_what_fits_is_used(one, there) -> None:
    """U20: whoever made it."""
    assert decide(one, there).step is Step.USE


@pytest.mark.parametrize(
    ("one", "there", "words"),
    [
        (draft(LOCAL.DATE), present(), "holds text, but this field needs date"),
        (draft(LOCAL.DATE), present(type="datetime", field_type="date"), "holds date and time"),
        (draft(LOCAL.USER), present(type="enumeration", field_type="select"), "needs HubSpot owner"),
        (
            draft(choices=CHOICES),
            present(type="enumeration", field_type="checkbox", options={"lead", "won"}),
            "holds several options, but this field needs one option",
        ),
        (draft(), present(type="json", field_type="text"), "holds json"),
        (draft(), present(is_read_only=True), "lets nobody write it"),
        (draft(), present(is_archived=True), "is archived in HubSpot"),
        (draft(choices=CHOICES), present(type="enumeration", field_type="select", options={"won"}), "options lead."),
    ],
)
def test_what_does_not_fit_is_refused_with_another_name(one, there, words) -> None:
    """U20, Fault 32: the reason, and a name that is free."""
    found = decide(one, there, present("x_2"))
    assert (found.step, found.other_name) == (Step.REFUSE, "x_3")
    assert words in found.why
    assert found.added == ()


def test_only_our_options_grow() -> None:
    """U20: what is missing, in the order of the choices."""
    facts = {"type": "enumeration", "field_type": "select"}
    ours = decide(draft(choices=CHOICES), present(**facts, is_ours=True))
    assert (ours.step, ours.added) == (Step.EXTEND, CHOICES)
    assert decide(draft(choices=CHOICES), present(**facts)).step is Step.REFUSE


def test_two_fields_do_not_share_one() -> None:
    one, other = (provisioning.make_draft(LocalFact(p, p, LOCAL.TEXT), name="x", group="g") for p in ("a", "b"))
    first, second = provisioning.decide([one, other], {}, {})
    assert (first.step, second.step, second.other_name) == (Step.CREATE, Step.REFUSE, "x_2")
    assert decide(one, x="z").why == "“z” is joined with “x” already."
    assert decide(one, x="a").step is Step.CREATE


def test_a_name_that_cannot_be_gets_one_that_can() -> None:
    found = decide(draft(name="Birth Date"), present("birth_date"))
    assert (found.step, found.other_name) == (Step.REFUSE, "birth_date_2")

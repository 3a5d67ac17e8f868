"""The round-trip proof: what does not come back is found, named and explained, and never writes by itself."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from crmsync.engine import echo, errors, prove, spec, terms
from tests.engine import worlds

D = terms.Direction
L = terms.LocalType
R = terms.RemoteType
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
ZONES = (ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata"))


def keep(text, one):
    """A HubSpot that changes nothing."""
    return text


def lower(text, one):
    return text.strip().lower()


def field(local_type=L.TEXT, remote_type=R.STRING, **facts):
    return spec.FieldSpec(1, "status", "stage", local_type=local_type, remote_type=remote_type, **facts)


def mapping(*fields, direction=D.BOTH, **facts):
    return spec.MappingSpec(3, 7, 1, "demo.person", "contacts", direction, fields, **facts)


def prove_one(one, settle=keep, **facts):
    proof = prove.prove(mapping(one, **facts), settle=settle, zones=ZONES)
    (found,) = proof.fields
    assert proof.is_fixed == all(each.verdict is not prove.Verdict.CHANGES for each in found.findings)
    return found


def refused(found):
    return {(one.starts, one.code) for one in found.findings if one.kind is prove.Kind.REFUSED}


STATUS = field(
    remote_type=R.ENUMERATION,
    options=frozenset({"NEW", "WON"}),
    local_choices=frozenset({"prospect", "lead", "customer"}),
    value_map=spec.ValueMap(
        {"prospect": "NEW", "lead": "NEW", "customer": "WON"}, {"NEW": "lead", "WON": "customer"}
    ),
)


# --- Value maps ---------------------------------------------------------------------------------------------------


def test_the_chain_of_a_shared_value_is_told():
    """F5, L7: "prospect becomes NEW becomes lead", with the reason and what to do."""
    found = prove_one(STATUS)
    (one,) = found.findings
    assert one.chain == "prospect becomes NEW becomes lead"
    assert (one.kind, one.starts, one.why) == (prove.Kind.NOT_INJECTIVE, LOCAL, "lead becomes NEW as well.")
    assert "one way" in one.remedy
    assert one.echo is echo.Echo.NEVER
    assert (found.tried, found.count, found.direction) == (7, 1, D.BOTH)


def test_a_shared_local_value_is_found_from_the_other_side():
    """F5, L6: several HubSpot values for one local value."""
    value_map = spec.ValueMap({"lead": "NEW"}, {"NEW": "lead", "MQL": "lead"})
    (one,) = prove_one(field(remote_type=R.ENUMERATION, value_map=value_map)).findings
    assert (one.starts, one.chain) == (REMOTE, "MQL becomes lead becomes NEW")


def test_a_one_way_field_need_not_come_back():
    """F5: a shared value is no finding where nothing comes back, whichever of field and mapping says so."""
    assert prove_one(replace(STATUS, direction=D.PUSH)).count == 0
    found = prove_one(STATUS, direction=D.PUSH)
    assert (found.count, found.direction) == (0, D.PUSH)


def test_a_one_way_field_must_still_convert():
    """F5, X14: an option that the column does not have is refused, with the converter's own sentence."""
    one = replace(STATUS, direction=D.PULL, options=frozenset({"NEW", "WON", "LOST"}))
    (lost,) = prove_one(one).findings
    assert (lost.chain, lost.code, lost.becomes) == ("LOST is refused", "option_unknown", None)
    assert lost.why == 'The value map has no local value for "LOST": add a line for it.'


def test_a_choice_without_a_line_is_refused():
    """F5: every local choice is tried, not only those that the map names."""
    one = replace(STATUS, local_choices=STATUS.local_choices | {"former"})
    assert "former is refused" in {each.chain for each in prove_one(one).findings}


def test_a_line_that_names_no_choice_is_refused_on_the_way_in():
    """F5, X14: the map says what the column does not have."""
    value_map = spec.ValueMap(STATUS.value_map.to_remote, {"NEW": "leed", "WON": "customer"})
    found = prove_one(replace(STATUS, value_map=value_map))
    assert {(one.start, one.code) for one in found.findings if one.starts is REMOTE} == {("NEW", "option_unknown")}


def test_an_owner_without_a_user_is_refused():
    """F5: owners cross through user links; one user with two owners does not come back."""
    owners = spec.ValueMap({"1": "100"}, {"100": "1", "101": "1"})
    one = field(L.USER, R.OWNER, value_map=owners, options=frozenset({"100", "101", "102"}))
    found = prove_one(one)
    assert [each.chain for each in found.findings] == ["101 becomes 1 becomes 100", "102 is refused"]
    assert "user link" in found.findings[1].remedy


# --- What it means ------------------------------------------------------------------------------------------------


def test_a_value_that_the_base_remembers_is_as_good_as_fixed():
    """F5, L8: a shared value is told but changes nothing, since the planner itself never moves it."""
    proof = prove.prove(mapping(STATUS), settle=keep)
    ((one,),) = [found.findings for found in proof.fields]
    assert (one.verdict, one.echo, proof.is_fixed) == (prove.Verdict.SAME, echo.Echo.NEVER, True)


def test_two_tables_that_contradict_each_other_change_a_value():
    """F5: lead goes to NEW, and NEW comes back as customer, so the next edit in HubSpot would move it."""
    one = replace(STATUS, value_map=spec.ValueMap({"lead": "NEW"}, {"NEW": "customer"}))
    found = prove_one(one)
    assert [each.chain for each in found.changes] == ["lead becomes NEW becomes customer"]


def test_what_hubspot_keeps_in_another_form_changes_a_value_unless_both_count_as_the_same():
    """F5, Fault 42: a match by e-mail finds both forms equal, also where two records first meet."""
    match = (spec.MatchSpec("status", "stage", terms.Normaliser.EMAIL),)
    assert [each.start for each in prove_one(field(), settle=lower).changes if "@" in each.start]
    assert not [each for each in prove_one(field(), settle=lower, match=match).changes if "@" in each.start]


def test_what_is_refused_is_held_back_and_changes_nothing():
    """F5: a text column and a text property of any length: a NUL, from either side, and a long text are told."""
    found = prove_one(field(max_length=100))
    assert {each.verdict for each in found.findings} == {prove.Verdict.HELD}
    assert found.count == 3


def test_a_default_for_what_the_map_does_not_have_is_tried():
    """F5: policy "default": any other value becomes it, and comes back as what it stands for."""
    value_map = spec.ValueMap({"lead": "NEW"}, {"NEW": "lead"}, remote_default="OTHER", local_default="lead")
    found = prove_one(field(value_map=value_map))
    assert "something else" in {each.start for each in found.findings}


def test_a_finding_is_known_again_by_value_and_result():
    """F5: its key stays while both stay, and is another one for another result."""
    first, again = (prove_one(STATUS).findings[0] for _ in range(2))
    assert first.key == again.key
    assert len(first.key) == 64
    other = replace(STATUS, value_map=spec.ValueMap(STATUS.value_map.to_remote, {"NEW": "customer", "WON": "lead"}))
    keys = {each.start: each.key for each in prove_one(other).findings}
    assert keys["prospect"] != first.key


def test_all_that_changes_is_listed_however_much_it_is():
    """F5: what has to be accepted must be seen."""
    choices = [f"c{number:03}" for number in range(80)]
    swapped = dict(zip(choices, [*choices[1:], choices[0]], strict=True))
    found = prove_one(
        field(local_choices=frozenset(choices), value_map=spec.ValueMap(swapped, {c: c for c in choices}))
    )
    assert len(found.changes) > 80 > prove.LISTED


# --- What HubSpot makes of it -------------------------------------------------------------------------------------


def test_what_hubspot_normalises_is_found_and_never_written_back():
    """F5, Fault 42: a lower-cased address comes back changed; the base holds both forms."""
    found = prove_one(field(), settle=lower)
    chains = {one.chain: one for one in found.findings if one.kind is prove.Kind.LOSSY}
    mixed = chains["Mixed.Case@Example.com becomes mixed.case@example.com becomes mixed.case@example.com"]
    assert mixed.why == "HubSpot keeps it in another form."
    assert mixed.echo is echo.Echo.WITHOUT_BASE
    assert any(chain.startswith("␣outer␣blanks␣ becomes") for chain in chains)


def test_a_field_that_finds_partners_is_not_even_written_at_first_contact():
    """F5: equal by the match key's own measure is equal."""
    match = (spec.MatchSpec("status", "stage", terms.Normaliser.EMAIL),)
    found = prove_one(field(), settle=lower, match=match)
    assert {one.echo for one in found.findings if "@" in one.start} == {echo.Echo.NEVER}


def test_what_hubspot_would_refuse_is_refused():
    """F5: its own limits are the caller's to tell; what it never holds does not start there either."""

    def refuse(text, one):
        if "@" in text:
            raise errors.ConvertError(terms.Problem.TYPE, "HubSpot takes no signs.")
        return text

    found = prove_one(field(), settle=refuse)
    (sign,) = [one for one in found.findings if "@" in one.start]
    assert (sign.starts, sign.why, sign.echo) == (LOCAL, "HubSpot takes no signs.", echo.Echo.NEVER)


# --- Types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local_type", "remote_type", "facts", "expected"),
    [
        (L.BOOLEAN, R.BOOL, {}, set()),
        (L.DATE, R.DATE, {}, set()),
        (L.DATETIME, R.DATETIME, {}, set()),
        (L.TEXT, R.STRING, {}, {(LOCAL, "nul"), (REMOTE, "nul")}),
        (L.TEXT, R.STRING, {"max_length": 100}, {(LOCAL, "nul"), (REMOTE, "nul"), (REMOTE, "too_long")}),
        (L.INTEGER, R.NUMBER, {}, {(REMOTE, "lossy"), (REMOTE, "too_long")}),
        (L.DECIMAL, R.NUMBER, {"max_digits": 12, "decimal_places": 3}, {(REMOTE, "too_long")}),
        (L.DECIMAL, R.NUMBER, {"max_digits": 12, "decimal_places": 2}, {(REMOTE, "too_long"), (REMOTE, "lossy")}),
        (L.DATETIME, R.DATE, {}, {(LOCAL, "date_not_midnight")}),
        (L.DATE, R.DATETIME, {}, {(REMOTE, "date_not_midnight")}),
        (L.TEXT, R.NUMBER, {}, {(LOCAL, "type")}),
        (L.INTEGER, R.STRING, {}, {(REMOTE, "type")}),
        (L.BOOLEAN, R.STRING, {}, {(REMOTE, "type")}),
        (L.TEXT, R.ENUMERATION, {"options": frozenset("ab")}, {(LOCAL, "option_unknown")}),
        (L.MULTI, R.CHECKBOXES, {"options": frozenset("ab")}, set()),
    ],
)
def test_what_each_pair_of_types_cannot_hold(local_type, remote_type, facts, expected):
    """F5, X14, Fault 42: a mismatch is refused, never silently wrong, and the proof says so beforehand."""
    assert refused(prove_one(field(local_type, remote_type, **facts))) == expected


@pytest.mark.parametrize("kind", worlds.KINDS, ids=lambda kind: f"{kind.local_type}-{kind.remote_type}")
def test_no_finding_of_any_type_writes_by_itself(kind):
    """L8, I8, I12: over all pairs of types, with a HubSpot that normalises, every mode and policy for blanks."""
    for mode in terms.WriteMode:
        for blanks in terms.BlankPolicy:
            one = field(kind.local_type, kind.remote_type, write_mode=mode, blanks=blanks, **kind.facts)
            found = prove_one(one, settle=lambda text, _one: kind.keeps(text))
            assert echo.Echo.ALWAYS not in {each.echo for each in found.findings}
            assert found.tried > 1


def test_a_mapping_that_flows_in_no_direction_has_nothing_to_prove():
    """F5: only fields that flow are proven."""
    proof = prove.prove(mapping(replace(STATUS, direction=D.PULL), direction=D.PUSH), settle=keep)
    assert (proof.mapping_id, proof.revision, proof.fields, proof.is_fixed) == (3, 7, (), True)


# --- Reading ------------------------------------------------------------------------------------------------------


def test_findings_of_a_field_are_bounded_and_counted():
    """F5: the first fifty, the least expected kinds first."""
    choices = frozenset(f"c{number:03}" for number in range(80))
    value_map = spec.ValueMap(dict.fromkeys(sorted(choices)[:5], "ONE"), {"ONE": "c000"})
    found = prove_one(field(local_choices=choices, value_map=value_map))
    assert (found.count, len(found.findings)) == (79, prove.LISTED)
    assert [one.kind for one in found.findings[:5]] == [prove.Kind.NOT_INJECTIVE] * 4 + [prove.Kind.REFUSED]
    assert found.findings[0].why == "c000, c002, c003 and 1 more become ONE as well."


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (None, ""),
        ("a", "a"),
        ("a\0b\r\n", "a\\x00b\\r\\n"),
        (" a b ", "␣a␣b␣"),
        ("\u202bש", "\\u202bש"),
        ("x" * 61, f"{'x' * 60}… (61 characters)"),
    ],
)
def test_values_are_shown_so_that_they_can_be_read(text, seen):
    assert prove.shown(text) == seen

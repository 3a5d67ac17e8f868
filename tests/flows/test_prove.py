"""The proof of real mappings, the command that prints it, and the sync itself as its witness."""

import io
import json

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from crmsync.engine import probes, spec, terms
from crmsync.engine import prove as engine
from crmsync.fakehub import definitions, values
from crmsync.flows import prove
from crmsync.ledger import specs, steps
from crmsync.models import LogEntry, Mapping, Run
from project.demo.models import Person
from tests import factories

L = terms.LocalType
R = terms.RemoteType


@pytest.fixture
def mapping(db) -> Mapping:
    """One field both ways, which has nothing to lose."""
    made = factories.MappingFactory(label="News")
    add_field(made, "newsletter", "news", "bool", "booleancheckbox")
    return made


def add_field(mapping: Mapping, local: str, remote: str, kind: str, field_type: str = "", options=(), **facts):
    factories.RemotePropertyFactory(
        portal=mapping.portal,
        name=remote,
        type=kind,
        field_type=field_type,
        options=[[one, one] for one in options],
    )
    return factories.FieldMappingFactory(mapping=mapping, local=local, remote=remote, **facts)


def add_shared_status(mapping: Mapping) -> None:
    """Two local statuses for one HubSpot status; a choice that has no line."""
    field = add_field(mapping, "status", "stage", "enumeration", "select", ["NEW", "WON"])
    for ours, theirs, way in (("prospect", "NEW", "push"), ("lead", "NEW", "both"), ("customer", "WON", "both")):
        factories.ValueMapEntryFactory(field=field, local_value=ours, remote_value=theirs, direction=way)


def add_contradiction(mapping: Mapping) -> None:
    """A status that a map takes to HubSpot, and elsewhere on its way back."""
    field = add_field(mapping, "status", "stage", "enumeration", "select", ["NEW"])
    for ours, theirs, way in (("lead", "NEW", "push"), ("customer", "NEW", "pull")):
        factories.ValueMapEntryFactory(field=field, local_value=ours, remote_value=theirs, direction=way)


def of(mapping: Mapping, local: str) -> engine.FieldProof:
    (found,) = [one for one in prove.prove(mapping).fields if one.local == local]
    return found


def run(*args: str) -> tuple[str, str, int]:
    """What the command wrote to both outputs, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("crmsync_prove", *args, stdout=out, stderr=err)
    except SystemExit as end:
        return out.getvalue(), err.getvalue(), int(end.code or 0)
    return out.getvalue(), err.getvalue(), 0


# --- The proof ----------------------------------------------------------------------------------------------------


def test_the_value_map_of_a_mapping_is_proven(mapping: Mapping) -> None:
    """F5, L6, L7: rows become tables, tables become chains; a choice without a line is named."""
    add_shared_status(mapping)
    found = of(mapping, "status")
    assert [one.chain for one in found.findings] == ["prospect becomes NEW becomes lead", "former is refused"]
    assert {one.echo.value for one in found.findings} == {"never"}


def test_the_contact_s_e_mail_is_proven_as_hubspot_keeps_it(db) -> None:
    """F5, Fault 42: trimmed and in lower case; the same text in another property stays as it is."""
    mapping = factories.make_mapping()
    changed = [one.start for one in of(mapping, "email").findings if one.kind is engine.Kind.LOSSY]
    assert changed == ["Mixed.Case@Example.com"]
    (odd,) = [one for one in of(mapping, "email").findings if one.start == "␣outer␣blanks␣"]
    assert (odd.verdict, odd.why) == (
        engine.Verdict.HELD,
        "HubSpot refuses a contact's e-mail that is no address. Correct it.",
    )
    assert not [one for one in of(mapping, "first_name").findings if one.kind is engine.Kind.LOSSY]


def test_every_owner_of_the_portal_is_tried(mapping: Mapping) -> None:
    """F5, X7: those without a user too, which no value map holds."""
    add_field(mapping, "owner", "hubspot_owner_id", "enumeration", "select")
    ada = get_user_model().objects.create(username="ada")
    factories.UserLinkFactory(portal=mapping.portal, owner_id="100", user=ada)
    factories.UserLinkFactory(portal=mapping.portal, owner_id="101")
    factories.UserLinkFactory(owner_id="999")  # another portal's
    found = of(mapping, "owner")
    assert [one.chain for one in found.findings] == ["101 is refused"]
    assert found.tried == 5  # one user, two owners, and a blank each


def test_the_portal_s_own_time_zone_is_tried(mapping: Mapping) -> None:
    """F5: beside two others; a zone that this machine does not know is left out."""
    add_field(mapping, "last_seen_at", "seen", "datetime", "date")
    tried = {}
    for name in ("", "Asia/Kolkata", "Not/A-Zone", "Asia/Kathmandu"):
        type(mapping.portal).objects.filter(pk=mapping.portal_id).update(time_zone=name)
        tried[name] = of(Mapping.objects.get(pk=mapping.pk), "last_seen_at").tried
    assert tried["Asia/Kolkata"] == tried["Not/A-Zone"] == tried[""]
    assert tried["Asia/Kathmandu"] > tried[""]


def test_nothing_is_written_and_the_mapping_stays_as_it_is(mapping: Mapping) -> None:
    """F5: findings are information; they stop nothing."""
    add_contradiction(mapping)
    assert not prove.prove(mapping).is_fixed
    fresh = Mapping.objects.get(pk=mapping.pk)
    assert (fresh.state, fresh.problem) == (mapping.state, "")
    assert [model.objects.count() for model in (Run, LogEntry, Person)] == [0, 0, 0]


def test_a_mapping_that_cannot_run_is_not_proven(mapping: Mapping) -> None:
    factories.FieldMappingFactory(mapping=mapping, local="city", remote="town")
    with pytest.raises(specs.SpecError, match="town"):
        prove.prove(mapping)


# --- What HubSpot keeps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote_type", "kind", "field_type"),
    [
        (R.STRING, "string", "text"),
        (R.NUMBER, "number", "number"),
        (R.BOOL, "bool", "booleancheckbox"),
        (R.DATE, "date", "date"),
        (R.DATETIME, "datetime", "date"),
        (R.CHECKBOXES, "enumeration", "checkbox"),
    ],
)
def test_what_hubspot_keeps_is_what_the_fakehub_keeps(remote_type, kind, field_type) -> None:
    """F5, Fault 42: two that were written apart say the same of every probe that HubSpot takes."""
    settle = prove.settle_of("contacts")
    one = spec.FieldSpec(1, "l", "r", local_type=L.TEXT, remote_type=remote_type, options=frozenset("ab"))
    one = one if remote_type is R.CHECKBOXES else spec.FieldSpec(1, "l", "r", remote_type=remote_type)
    texts = [text for text in probes.remote_texts(one, ()) if text] + ["-0", "007.10", "b;a;b"]
    compared = 0
    for text in texts:
        try:
            kept = values.settle(make_property(kind, field_type, one.options), text)
        except values.ValueRefusedError:
            continue
        assert settle(text, one) == kept
        compared += 1
    assert compared > 1


def make_property(kind: str, field_type: str, options) -> definitions.Property:
    return definitions.Property(
        {
            "name": "r",
            "type": kind,
            "fieldType": field_type,
            "externalOptions": False,
            "hasUniqueValue": False,
            "modificationMetadata": {"readOnlyValue": False},
            "options": [{"value": one, "displayOrder": 0} for one in sorted(options)],
        }
    )


def test_only_a_contact_s_address_is_lower_cased() -> None:
    email = spec.FieldSpec(1, "email", "email")
    assert prove.settle_of("contacts")(" Ann@X.org", email) == "ann@x.org"
    assert prove.settle_of("companies")(" Ann@X.org", email) == " Ann@X.org"


def test_what_is_no_number_or_date_is_left_as_it_is() -> None:
    settle = prove.settle_of("contacts")
    for remote_type in (R.NUMBER, R.DATE, R.DATETIME):
        one = spec.FieldSpec(1, "l", "r", remote_type=remote_type)
        for text in ("odd", "9" * 30 if remote_type is not R.NUMBER else "1.2.3"):
            assert settle(text, one) == text


# --- The witness --------------------------------------------------------------------------------------------------


def test_what_the_proof_says_of_a_shared_status_is_what_the_sync_does(sync) -> None:
    """L6, L7, L8, F5: one status of HubSpot for two of ours: the echo by webhook and poll never moves ours."""
    field = sync.people.fields.get(local="status")
    field.value_map.filter(local_value="prospect").update(remote_value="NEW", direction=terms.Direction.PUSH)
    found = of(sync.people, "status")
    chains = {one.chain: one.echo.value for one in found.findings}
    assert chains["prospect becomes NEW becomes lead"] == "never"

    person = Person.objects.create(first_name="Ada", email="ada@example.com", status="prospect")
    sync.drain()
    (contact,) = sync.contacts()
    assert contact["properties"]["hs_lead_status"] == "NEW"
    writes = sync.writes()
    for _ in range(2):
        sync.deliver()
        sync.drain()
        sync.backfill("backfill_pull")
        sync.backfill("backfill_push")
    person.refresh_from_db()
    assert person.status == "prospect"
    assert sync.writes() == writes


# --- The command --------------------------------------------------------------------------------------------------


def test_the_command_ends_well_where_all_comes_back(mapping: Mapping) -> None:
    """F5: exit code 0."""
    out, err, code = run("News")
    assert (out, err, code) == ("News: 6 values tried, 0 come back different\n", "", 0)


def test_what_is_remembered_or_held_back_is_told_and_ends_well(mapping: Mapping) -> None:
    """F5: the base remembers a shared value, and a refused one never went anywhere: exit code 0."""
    add_shared_status(mapping)
    out, _, code = run(str(mapping.pk))
    assert code == 0
    assert "status ↔ stage, both ways: 2 of 8" in out
    assert "[same, several values share one] from Django: prospect becomes NEW becomes lead. lead becomes NEW" in out
    assert "[held, cannot cross] from Django: former is refused." in out


def test_texts_are_never_in_the_way(db) -> None:
    """F5: a NUL or 65,536 characters in a text field are held back; nobody has to accept that."""
    made = factories.make_mapping(label="People")
    found = {one.local: {each.verdict for each in one.findings} for one in prove.prove(made).fields}
    assert found["first_name"] == {engine.Verdict.HELD}
    assert run("People")[2] == 0


def test_what_a_person_accepted_ends_well(mapping: Mapping) -> None:
    """F5: exit code 0 once all is accepted; it is still told."""
    add_contradiction(mapping)
    proof = prove.prove(mapping)
    steps.accept([(one.field_id, each.key) for one, each in prove.open_changes(mapping, proof)], None)
    out, _, code = run("--json")
    assert (json.loads(out)[0]["open_changes"], json.loads(out)[0]["is_fixed"], code) == (0, False, 0)
    out, _, code = run()
    assert "[accepted] from Django: lead becomes NEW becomes customer." in out


def test_the_command_tells_what_does_not_come_back(mapping: Mapping) -> None:
    """F5: exit code 2, with the chain, the reason, the remedy, and whether it is ever written by itself."""
    add_contradiction(mapping)
    out, _, code = run(str(mapping.pk))
    assert code == 2
    assert "News: 13 values tried, 1 come back different" in out
    assert (
        "[changes, comes back changed] from Django: lead becomes NEW becomes customer."
        " On the way back the value map names another value." in out
    )
    assert "Written by itself: never." in out


def test_the_command_says_how_many_more_there_are(mapping: Mapping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LISTED", 1)
    add_shared_status(mapping)
    assert "    … and 1 more" in run()[0]


def test_the_command_prints_json(mapping: Mapping) -> None:
    add_contradiction(mapping)
    out, _, code = run("--json")
    (proof,) = json.loads(out)
    assert (proof["mapping"], proof["is_fixed"], proof["open_changes"], code) == ("News", False, 1, 2)
    (status,) = [one for one in proof["fields"] if one["local"] == "status"]
    assert (status["findings"][0]["kind"], status["findings"][0]["verdict"]) == ("lossy", "changes")
    assert (status["findings"][0]["start"], status["findings"][0]["back"]) == ("lead", "customer")


def test_the_command_proves_the_others_where_one_cannot_run(mapping: Mapping) -> None:
    """Exit code 2 and the sentence on standard error; what can be proven is."""
    broken = factories.MappingFactory(label="Broken", portal=mapping.portal)
    factories.FieldMappingFactory(mapping=broken, local="city", remote="town")
    out, err, code = run()
    assert out.startswith("News: 6 values tried, 0 come")
    assert "'town'" in err
    assert code == 2


def test_the_command_names_the_mappings_there_are(mapping: Mapping) -> None:
    with pytest.raises(CommandError, match=r"There is no mapping 'Nothing'\. Mappings: 'News'\."):
        run("Nothing")

"""Convert, push, read back, plan: nothing to do, for generated values of every type and option set.

On every database the suite runs on, because each stores text, numbers and times in its own way.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.engine import terms
from crmsync.flows import dossier, reconcile, scope
from crmsync.models import InboxEvent, Link, Mapping, OutboxEntry
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

PATIENT = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
AWKWARD = [
    "👩‍👩‍👧‍👦 🇯🇵",
    "שלום וברכה",
    "مرحبا \u202eabc\u202c",
    "e\u0301 é",
    "line\r\nline\n\n",
    " outer blanks ",
    "=SUM(A1)",
    "<b>&amp;</b>",
    "0012",
    "x" * 65_536,
    "\ufeffmark",
    "\u2028",
]
# Half a surrogate is no text that any database or HubSpot keeps; NUL is tested by itself.
TEXT = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60),
)
DAYS = st.one_of(
    st.sampled_from([date.min, date.max, date(2024, 2, 29), date(1970, 1, 1), date(1900, 2, 28)]), st.dates()
)
MOMENTS = st.one_of(
    st.sampled_from(
        [
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # clocks go forward in Europe
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # and back
            datetime(2024, 2, 29, 23, 59, 59, 500, tzinfo=UTC),
        ]
    ),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(min_value=datetime(1902, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.timezones()),
)
MONEY = st.decimals(min_value=Decimal("-9999999999.99"), max_value=Decimal("9999999999.99"), places=2)

PEOPLE = st.fixed_dictionaries(
    {
        "bio": TEXT,
        "job_title": TEXT.map(lambda text: text[:150]),
        "lead_source": st.sampled_from(["", *Person.LeadSource.values]),
        "status": st.sampled_from(Person.Status.values),
        "birth_date": st.none() | DAYS,
        "last_seen_at": st.none() | MOMENTS,
        "credit": st.none() | MONEY,
        "newsletter": st.booleans(),
    }
)


def plan_of(mapping: Mapping, pk: object):
    """What there is to do for one record, both ways."""
    one = scope.open_scope(mapping.pk)
    plan, stopped = reconcile.preview(one, [dossier.Item(local_pk=str(pk))])
    assert not [case.stop for case in stopped if case.stop is not None]
    return plan


def is_at_rest(mapping: Mapping, pk: object) -> bool:
    return plan_of(mapping, pk).is_empty


@pytest.mark.parametrize("blanks", terms.BlankPolicy)
def test_what_django_holds_comes_back_the_same(sync: Sync, ada: Person, blanks: terms.BlankPolicy) -> None:
    """Part of "done": pushed and read back, generated values of every type leave nothing to do; Faults 38, 41, 42."""
    sync.people.fields.update(blanks=blanks)

    @PATIENT
    @given(PEOPLE)
    def check(facts: dict[str, object]) -> None:
        Person.objects.filter(pk=ada.pk).update(**facts)
        person = Person.objects.get(pk=ada.pk)
        stored = {name: getattr(person, name) for name in facts}
        person.save()
        sync.drain()
        assert is_at_rest(sync.people, ada.pk), stored
        person.refresh_from_db()
        assert {name: getattr(person, name) for name in facts} == stored
        before = sync.writes()
        sync.deliver()
        sync.drain()
        assert sync.writes() == before, stored
        person.refresh_from_db()
        assert {name: getattr(person, name) for name in facts} == stored

    check()


REMOTE = st.fixed_dictionaries(
    {
        "demo_bio": TEXT,
        "demo_lead_source": st.sampled_from(["", *Person.LeadSource.values]),
        "hs_lead_status": st.sampled_from(["NEW", "IN_PROGRESS", "CONNECTED", "UNQUALIFIED"]),
        "demo_birth_date": st.one_of(st.just(""), DAYS.map(date.isoformat)),
        "demo_last_seen": st.one_of(
            st.just(""),
            MOMENTS.map(
                lambda at: (at.astimezone(UTC) if at.year > 1 else at).isoformat(timespec="milliseconds")[:23] + "Z"
            ),
        ),
        "demo_credit": st.one_of(st.just(""), MONEY.map(str), st.sampled_from(["1.50", "007", "-0", "1000000"])),
        "demo_newsletter": st.sampled_from(["true", "false"]),
    }
)


def test_what_hubspot_holds_leaves_nothing_to_do(sync: Sync, ada: Person, ada_id: str) -> None:
    """The other way round: whatever form a person typed, once pulled both sides rest and no write echoes."""

    @PATIENT
    @given(REMOTE)
    def check(facts: dict[str, str]) -> None:
        sync.hub.ui_update("contacts", ada_id, facts)
        shown = {name: sync.contact(ada_id).get(name) for name in facts}
        before = sync.writes()
        sync.deliver()
        sync.drain()
        assert is_at_rest(sync.people, ada.pk), facts
        assert sync.writes() == before, facts
        assert {name: sync.contact(ada_id).get(name) for name in facts} == shown

    check()


@pytest.mark.parametrize(
    "amount",
    ["0.1", "12345678901.12", "1e3", "1E-2", "-0.00", "999999999999.99"],
)
def test_amounts_rest_in_every_spelling(sync: Sync, amount: str) -> None:
    """Fault 42: decimals with exponents, float noise and negative zero are the same number on both sides."""
    firm = Organisation.objects.create(name="Sum", domain="sum.example.com", annual_revenue=Decimal(amount))
    recipes.settle(sync)
    firm.refresh_from_db()
    assert is_at_rest(sync.mappings["Organisations"], firm.pk)
    (company,) = list(sync.hub.records("companies"))
    assert Decimal(company["properties"]["annualrevenue"]) == firm.annual_revenue


def test_nul_is_held_back_with_a_reason_and_the_rest_flows(sync: Sync) -> None:
    """Fault 41: a NUL that came from HubSpot, or that SQLite keeps, never kills the batch and is seen."""
    facts = {"email": "nul@example.com", "city": "Wien", "demo_bio": "a\x00b"}
    key, _other = sync.hub.plant("contacts", [facts, {"email": "other@example.com"}])
    sync.backfill("backfill_pull")
    person = Person.objects.get(email="nul@example.com")
    assert (person.city, person.bio) == ("Wien", "")
    assert Person.objects.filter(email="other@example.com").exists()
    assert "NUL" in InboxEvent.objects.get(remote_id=key).last_message
    if connection.vendor == "postgresql":
        return
    Person.objects.filter(pk=person.pk).update(bio="c\x00d", job_title="Baker")
    Person.objects.get(pk=person.pk).save()
    sync.drain()
    assert sync.contact(key)["jobtitle"] == "Baker"
    assert sync.contact(key)["demo_bio"] == "a\x00b"
    assert "NUL" in OutboxEntry.objects.get(local_pk=str(person.pk)).last_message


CHOICES = ["alpha", "beta", "gamma", "delta"]


def test_sets_of_options_rest_in_any_order(make_sync: Callable[..., Sync]) -> None:
    """Fault 42: several options are a set: order, repetition and HubSpot's leading separator are no difference."""
    sync = make_sync()
    recipes.add_property(
        sync,
        "contacts",
        "many",
        "enumeration",
        field_type="checkbox",
        options=[{"label": one, "value": one} for one in CHOICES],
    )
    mapping = sync.people
    mapping.fields.filter(local="bio").update(remote="many")
    person = Person.objects.create(email="set@example.com", bio="beta;alpha")
    recipes.settle(sync)
    key = Link.objects.get(mapping=mapping).remote_id

    @settings(PATIENT, max_examples=25)
    @given(st.lists(st.sampled_from(CHOICES), max_size=6), st.booleans())
    def check(chosen: list[str], is_remote: bool) -> None:
        if is_remote:
            sync.hub.ui_update("contacts", key, {"many": ";".join(dict.fromkeys(chosen))})
        else:
            Person.objects.filter(pk=person.pk).update(bio=";".join(chosen))
            Person.objects.get(pk=person.pk).save()
        recipes.settle(sync)
        assert is_at_rest(mapping, person.pk)

    check()

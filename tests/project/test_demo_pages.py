"""The product's own pages: no login, no script, and a change made there is a plain save."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from project.demo.factories import OrganisationFactory, PersonFactory
from project.demo.models import Opportunity, Person
from project.supervisor import HOME

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Person:
    return PersonFactory(
        first_name="Zoë",
        last_name="<b>Okafor</b>",
        email="zoe@example.com",
        status=Person.Status.CUSTOMER,
        organisation=OrganisationFactory(name="Ünïcode & Söhne"),
    )


def post(client: Client, person: Person, **changes: str) -> int:
    """Send the page's own form back with some changes; the answer's status."""
    url = reverse("demo:person", args=[person.pk])
    form = client.get(url).context["form"]
    values = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in values.items() if value not in (None, False)}
    return client.post(url, data | changes).status_code


def test_the_list_shows_people_and_counts(client: Client, person: Person) -> None:
    answer = client.get(reverse("demo:people"))

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "&lt;b&gt;Okafor&lt;/b&gt;" in page
    assert "Ünïcode &amp; Söhne" in page
    assert "Customer</span>" in page
    assert answer.context["counts"]["People"] == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "zoe@"}, True),
        ({"q": "okafor söhne"}, True),
        ({"q": "nobody"}, False),
        ({"status": "customer"}, True),
        ({"status": "lead"}, False),
        ({"status": "no such status"}, True),
        ({"page": "99"}, True),
        ({"page": "x"}, True),
    ],
)
def test_people_are_found(client: Client, person: Person, query: dict[str, str], found: bool) -> None:
    answer = client.get(reverse("demo:people"), query)
    assert answer.status_code == 200
    assert (person in answer.context["page"].object_list) is found


def test_the_list_asks_the_database_little(client: Client, django_assert_max_num_queries) -> None:
    PersonFactory.create_batch(40, organisation=OrganisationFactory())
    with django_assert_max_num_queries(8):
        client.get(reverse("demo:people"))


def test_pages_keep_the_search(client: Client) -> None:
    PersonFactory.create_batch(30, status=Person.Status.LEAD)
    page = client.get(reverse("demo:people"), {"status": "lead"}).content.decode()
    assert "status=lead&amp;page=2" in page


def test_a_person_is_saved(client: Client, person: Person) -> None:
    Opportunity.objects.create(name="Renewal", contact=person)

    assert "Renewal" in client.get(reverse("demo:person", args=[person.pk])).content.decode()
    assert post(client, person, city="Łódź", birth_date="1980-02-29") == 302
    person.refresh_from_db()
    assert (person.city, str(person.birth_date)) == ("Łódź", "1980-02-29")


@pytest.mark.parametrize("email", ["", "no address", "taken@example.com"])
def test_a_wrong_value_is_refused_and_said(client: Client, person: Person, email: str) -> None:
    PersonFactory(email="taken@example.com")

    assert post(client, person, email=email, first_name="Other") == 200
    person.refresh_from_db()
    assert (person.email, person.first_name) == ("zoe@example.com", "Zoë")


def test_there_is_no_such_person(client: Client) -> None:
    assert client.get(reverse("demo:person", args=[1])).status_code == 404


def test_pages_need_neither_scripts_nor_inline_styles() -> None:
    for template in Path(HOME / "templates" / "demo").glob("*.html"):
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", template.read_text()), template.name


def test_the_admin_lists_everything(admin_client: Client, person: Person) -> None:
    for model in ("person", "organisation", "opportunity"):
        url = reverse(f"admin:demo_{model}_changelist")
        assert admin_client.get(url, {"q": "a"}).status_code == 200
        assert admin_client.get(reverse(f"admin:demo_{model}_add")).status_code == 200

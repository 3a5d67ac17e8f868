"""The page "Add fields": what it suggests and why, and that only what is ticked is added, whole or not at all."""

import pytest

from crmsync.engine import terms
from crmsync.flows import suggest
from crmsync.models import FieldMapping, Mapping
from project.demo.models import Organisation, Person
from tests import factories
from tests.admin.conftest import said

CITY, COMPANY = "city city", "organisation__name company"


@pytest.fixture
def mapping(db) -> Mapping:
    """E-mail is mapped; cities, phones and companies are not, and HubSpot computes one property."""
    made = factories.MappingFactory(label="People")
    for name, more in (
        ("email", {}),
        ("city", {"label": "City", "group": "place"}),
        ("phone", {"label": "Phone Number", "group": "reach"}),
        ("mobilephone", {"label": "Mobile Phone Number", "group": "reach"}),
        ("company", {"label": "Company Name", "group": "place"}),
        ("job_title", {"is_read_only": True}),
        ("birth_date", {"type": "bool", "field_type": "booleancheckbox"}),
    ):
        factories.RemotePropertyFactory(portal=made.portal, name=name, **more)
    factories.FieldMappingFactory(mapping=made, local="email", remote="email", position=4)
    return made


def url(pages, mapping) -> str:
    return pages.at("mapping_bulk_add", mapping.pk)


def keys(response) -> list[str]:
    return [line.key for line in response.context["lines"]]


def send(client, pages, mapping, *picked: str, **ways: str):
    """Tick these pairs; ``ways`` names directions by the local field."""
    data = {"pick": list(picked)}
    data |= {f"direction {key}": ways.get(key.partition(" ")[0], "pull") for key in picked}
    return client.post(url(pages, mapping), data)


def pairs() -> set[tuple[str, str, str]]:
    return set(FieldMapping.objects.exclude(local="email").values_list("local", "remote", "direction"))


def test_it_suggests_what_is_not_mapped_yet(boss, pages, mapping) -> None:
    """L2: each field and property once, the mapped ones and impossible types not at all."""
    response = boss.get(url(pages, mapping))
    assert response.status_code == 200
    assert set(keys(response)) == {CITY, "phone phone", "job_title job_title", COMPANY}


def test_nothing_is_ticked_and_no_push_is_chosen(boss, pages, mapping) -> None:
    """L2, page 6: HubSpot is the source unless Django cannot be written, and then a person chooses."""
    response = boss.get(url(pages, mapping))
    assert "checked" not in response.content.decode()
    lines = {line.key: line for line in response.context["lines"]}
    chosen = {key: [value for value, _label, is_chosen in line.ways if is_chosen] for key, line in lines.items()}
    assert chosen == {CITY: ["pull"], "phone phone": ["pull"], "job_title job_title": ["pull"], COMPANY: []}
    assert [way[0] for way in lines[COMPANY].ways] == ["push"]
    assert [way[0] for way in lines["job_title job_title"].ways] == ["pull"]
    assert [way[0] for way in lines[CITY].ways] == ["pull", "push", "both"]


def test_it_says_why(boss, pages, mapping) -> None:
    """Page 6: name, type, and the share of samples that convert; blanks are no samples."""
    factories.RemotePropertyFactory(
        portal=mapping.portal, name="status", type="enumeration", field_type="select", options=[["lead", "Lead"]]
    )
    for number in range(3):
        Person.objects.create(email=f"{number}@example.com", status="lead" if number else "former")
    text = boss.get(url(pages, mapping)).content.decode()
    assert "name 1.00 · type exact · 66 % of 3 samples convert" in text
    assert "Mobile Phone Number" not in text  # its field is offered with a better one
    assert "0 samples" not in text


def test_related_values_are_sampled(boss, mapping) -> None:
    """Page 6."""
    maker = Organisation.objects.create(name="Maker")
    Person.objects.create(email="a@example.com", organisation=maker)
    Person.objects.create(email="b@example.com")
    (found,) = [one for one in suggest.find(mapping).rows if one.local == "organisation__name"]
    assert (found.tried, found.converted) == (1, 1)


def test_a_search_shows_every_likely_pair(boss, pages, mapping) -> None:
    """L17: by words of a field, a property or its label."""
    assert set(keys(boss.get(url(pages, mapping), {"q": "phone"}))) == {"phone phone", "phone mobilephone"}
    assert keys(boss.get(url(pages, mapping), {"q": "COMPANY name"})) == [COMPANY]
    assert "No likely pair fits" in boss.get(url(pages, mapping), {"q": "xyz"}).content.decode()


def test_a_group_narrows_it(boss, pages, mapping) -> None:
    """L17."""
    response = boss.get(url(pages, mapping), {"group": "place"})
    assert set(keys(response)) == {CITY, COMPANY}
    assert response.context["groups"] == ("place", "reach")


def test_the_ticked_rows_are_added(boss, pages, mapping) -> None:
    """L17: one POST, after the rows there are, and the revision grows once."""
    response = send(boss, pages, mapping, CITY, COMPANY, city="both", organisation__name="push")
    assert response.status_code == 302
    assert pairs() == {("city", "city", "both"), ("organisation__name", "company", "push")}
    assert sorted(FieldMapping.objects.values_list("position", flat=True)) == [4, 5, 6]
    assert Mapping.objects.get().revision == mapping.revision + 1
    assert "2 field mappings were added." in said(boss.get(response.url))
    assert set(keys(boss.get(url(pages, mapping)))) == {"phone phone", "job_title job_title"}


def test_related_fields_are_captured_from_then_on(boss, pages, mapping) -> None:
    """A change of a related row is captured with the rows that read it: added in bulk, too."""
    send(boss, pages, mapping, COMPANY, organisation__name="push")
    assert mapping.readers.filter(target_label="demo.organisation", via="organisation").exists()


@pytest.mark.parametrize(
    ("picked", "ways", "words"),
    [
        ([], {}, "Nothing is ticked"),
        ([COMPANY], {"organisation__name": ""}, "Choose a direction."),
        ([COMPANY], {"organisation__name": "pull"}, "cannot be written in Django"),
        (["job_title job_title"], {"job_title": "push"}, "HubSpot lets nobody write"),
        (["birth_date birth_date"], {}, "one cannot become the other"),
        (["email email"], {}, "it is mapped already"),
        (["phone mobilephone", "phone phone"], {}, "Two rows write “phone” in Django"),
        (["password phone"], {}, "looks like a secret"),
        (["city nowhere"], {}, "have no property “nowhere”"),
        (["city"], {}, "have no property “”"),
    ],
)
def test_all_or_nothing(boss, pages, mapping, picked, ways, words) -> None:
    """L17: what the mapping's own form refuses is refused here, and the good rows with it; ticks stay."""
    response = send(boss, pages, mapping, *([CITY] if picked else []), *picked, **ways)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert pairs() == set()
    assert Mapping.objects.get().revision == mapping.revision
    ticked = [line.key for line in response.context["lines"] if line.is_picked]
    assert ticked == [key for key in keys(response) if key in {CITY, *picked} and picked]


def test_a_one_way_mapping_offers_its_way_only(boss, pages, mapping) -> None:
    """L2: where nothing can come from HubSpot, nothing is chosen."""
    Mapping.objects.update(direction=terms.Direction.PUSH)
    lines = {line.key: line for line in boss.get(url(pages, mapping)).context["lines"]}
    assert "job_title job_title" not in lines
    assert [(value, is_chosen) for value, _label, is_chosen in lines[CITY].ways] == [("push", False)]


def test_a_kept_mapping_refuses(boss, pages, mapping) -> None:
    """F9: it is edited in its file, and its page does not lead here."""
    Mapping.objects.update(locked_by="config/crm.json")
    assert boss.get(url(pages, mapping)).status_code == 403
    assert send(boss, pages, mapping, CITY).status_code == 403
    assert pairs() == set()
    assert url(pages, mapping) not in boss.get(pages.of(mapping)).content.decode()


def test_who_may_add_rows_may_add_them_here(staff, client, pages, mapping) -> None:
    """As on the mapping's own page: its row permission, too."""
    mapper = staff("change_mapping", "add_fieldmapping")
    assert url(pages, mapping) in mapper.get(pages.of(mapping)).content.decode()
    assert send(mapper, pages, mapping, CITY).status_code == 302
    for some in (("view_mapping",), ("change_mapping",), ("view_mapping", "add_fieldmapping")):
        assert staff(*some).get(url(pages, mapping)).status_code == 403
        assert send(staff(*some), pages, mapping, "phone phone").status_code == 403
    assert "/login/" in client.get(url(pages, mapping)).url
    assert pairs() == {("city", "city", "pull")}


def test_a_mapping_without_its_model_says_why(boss, pages, mapping) -> None:
    Mapping.objects.update(model_label="demo.Gone")
    assert "does not allow" in boss.get(url(pages, mapping)).content.decode()


def test_an_unknown_mapping_is_not_found(boss, pages, db) -> None:
    assert boss.get(pages.at("mapping_bulk_add", 99)).status_code == 404


def test_many_properties_stay_usable(boss, pages, mapping, monkeypatch) -> None:
    """L17: the table is bounded and says how much it left out."""
    monkeypatch.setattr(suggest, "SHOWN", 1)
    response = boss.get(url(pages, mapping))
    assert len(response.context["lines"]) == 1
    assert "3 more pairs are not shown: search for them." in response.content.decode()


def test_it_needs_four_queries(mapping, django_assert_max_num_queries) -> None:
    """Page 6: pipelines are asked only where one is offered."""
    Mapping.objects.update(object_type="deals", model_label="demo.Opportunity")
    factories.RemotePropertyFactory(
        portal=mapping.portal, object_type="deals", name="dealstage", type="enumeration", field_type="radio"
    )
    factories.RemotePipelineFactory(portal=mapping.portal)
    row = Mapping.objects.get()
    with django_assert_max_num_queries(4):
        found = suggest.find(row)
    assert [one.remote.name for one in found.rows] == ["dealstage"]

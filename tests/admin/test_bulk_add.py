"""The page "Add fields": what it suggests and why, and that only what is ticked is added, whole or not at all."""

import pytest

from crmsync import models
from crmsync.engine import terms
from crmsync.flows import backfill, discover, suggest
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


def test_many_properties_are_paged(boss, pages, mapping, monkeypatch) -> None:
    """L17: a page is bounded, says how many there are, and keeps the search when it is turned."""
    monkeypatch.setattr(suggest, "SHOWN", 1)
    seen = []
    for number in range(1, 5):
        response = boss.get(url(pages, mapping), {"page": number})
        assert f"page {number} of 4, 4 pairs" in response.content.decode()
        seen += keys(response)
    assert set(seen) == {CITY, "phone phone", "job_title job_title", COMPANY}
    assert keys(boss.get(url(pages, mapping), {"page": "99"})) == seen[-1:]
    for odd in ("0", "-1", "x", "9" * 30):
        assert boss.get(url(pages, mapping), {"page": odd}).status_code == 200
    html = boss.get(url(pages, mapping), {"q": "phone", "show": "all"}).content.decode()
    assert "?q=phone&amp;group=&amp;show=all&amp;page=2" in html


def test_five_hundred_properties_are_usable(boss, pages, mapping, django_assert_max_num_queries) -> None:
    """L17, A24, C14: every property that is not mapped is offered, likely or not, in groups and pages of 200, and a
    page is small enough to be sent back."""
    models.RemoteProperty.objects.bulk_create(
        models.RemoteProperty(
            portal=mapping.portal,
            object_type="contacts",
            name=f"c{n}",
            label=f"Field {n}",
            type="string",
            group=f"g{n % 5}",
        )
        for n in range(500)
    )
    seen = []
    for number in range(1, 4):
        with django_assert_max_num_queries(30):
            response = boss.get(url(pages, mapping), {"show": "all", "page": number})
        lines = response.context["lines"]
        assert [line.group for line in lines] == sorted(line.group for line in lines)
        assert 3 * len(lines) < 1000
        seen += [line.offer.remote.name for line in lines]
    assert len(seen) == len(set(seen)) == 506
    assert set(seen) == set(models.RemoteProperty.objects.exclude(name="email").values_list("name", flat=True))
    found = boss.get(url(pages, mapping), {"show": "all", "q": "field c49", "group": "g4"})
    assert [line.offer.remote.name for line in found.context["lines"]] == ["c49", "c494", "c499"]


def test_a_group_is_ticked_by_a_button(boss, pages, mapping) -> None:
    """L17: without JavaScript; what was ticked and typed before stays, and nothing is added yet."""
    address = f"{url(pages, mapping)}?show=all"
    data = {"pick": [" job_title"], "local job_title": "job_title", "direction  city": "both", "tick_group": "place"}
    response = boss.post(address, data)
    assert response.status_code == 200
    lines = {line.offer.remote.name: line for line in response.context["lines"]}
    assert {name for name, line in lines.items() if line.is_picked} == {"city", "company", "job_title"}
    assert [value for value, _label, is_chosen in lines["city"].ways if is_chosen] == ["both"]
    assert "Tick all of this group" in response.content.decode()
    everything = boss.post(url(pages, mapping), {"tick_all": "1"})
    assert all(line.is_picked for line in everything.context["lines"])
    assert pairs() == set()


def test_a_field_is_named_for_any_property(boss, pages, mapping) -> None:
    """A24, C14: where nothing is likely a person names the field; what cannot be is refused as ever."""
    address = f"{url(pages, mapping)}?show=all"
    data = {"pick": [" city", " birth_date"], "direction  city": "pull", "direction  birth_date": "pull"}
    refused = boss.post(address, {**data, "local city": "job_title"})
    assert "Name the Django field." in refused.content.decode()
    assert 'value="job_title"' in refused.content.decode()
    assert (
        "has no field"
        in boss.post(address, {**data, "local city": "job_title", "local birth_date": "x"}).content.decode()
    )
    added = boss.post(address, {**data, "local city": "job_title", "local birth_date": "newsletter"})
    assert added.status_code == 302
    assert pairs() == {("job_title", "city", "pull"), ("newsletter", "birth_date", "pull")}


def test_the_template_offers_the_common_fields(boss, pages, mapping) -> None:
    """L2: ready-made pairs of the object type only, none ticked; they can be added switched off and changed later."""
    factories.RemotePropertyFactory(portal=mapping.portal, name="bio", label="Bio")
    address = f"{url(pages, mapping)}?show=common"
    response = boss.get(address)
    assert keys(response) == ["phone phone", COMPANY, CITY]
    assert not any(line.is_picked for line in response.context["lines"])
    data = {"pick": ["phone phone", CITY], f"direction {CITY}": "pull", "direction phone phone": "both", "off": "1"}
    assert boss.post(address, data).status_code == 302
    assert pairs() == {("phone", "phone", "both"), ("city", "city", "pull")}
    assert not FieldMapping.objects.exclude(local="email").filter(is_active=True).exists()


def test_a_new_mapping_leads_to_its_template(boss, pages, mapping) -> None:
    """L2: whoever makes a mapping without rows is told where its common fields are."""
    data = pages.fill(
        boss.get(pages.add("mapping")),
        label="More people",
        portal=mapping.portal.pk,
        model_label="demo.Person",
        object_type="contacts",
    )
    response = boss.post(pages.add("mapping"), data, follow=True)
    made = Mapping.objects.get(label="More people")
    assert f"{url(pages, made)}?show=common" in said(response)
    assert f"{url(pages, made)}?show=common" in boss.get(pages.of(made)).content.decode()
    Mapping.objects.filter(pk=made.pk).update(object_type="2-77")
    assert "Start from a template" not in boss.get(pages.of(made)).content.decode()
    assert "common" not in [value for value, _label in boss.get(url(pages, made)).context["shows"]]


@pytest.mark.parametrize(
    ("object_type", "model"), [("contacts", "Person"), ("companies", "Organisation"), ("deals", "Opportunity")]
)
def test_all_properties_of_a_portal_are_offered(boss, pages, hubspot, object_type, model) -> None:
    """C14, A24: default and custom ones, as soon as they were read; no code and no deploy."""
    hubspot.add_property(object_type, "house_colour", "string", label="House colour")
    made = factories.MappingFactory(object_type=object_type, model_label=f"demo.{model}")
    discover.discover(made.portal)
    seen, number, count = set(), 1, 1
    while number <= count:
        response = boss.get(url(pages, made), {"show": "all", "page": number})
        seen |= {line.offer.remote.name for line in response.context["lines"]}
        number, count = number + 1, response.context["found"].pages
    there = models.RemoteProperty.objects.filter(object_type=object_type, is_archived=False).exclude(
        name="crmsync_key"
    )
    assert "house_colour" in seen
    assert seen == set(there.values_list("name", flat=True))


def test_a_new_property_is_synced_without_code(boss, pages, hubspot) -> None:
    """A24: made in HubSpot, read by the button, ticked on the page; the next run brings its values."""
    made = factories.make_mapping(object_type="contacts", portal__hub_id=4242)
    hubspot.add_property("contacts", "house_colour", "string", label="House colour")
    pages.act(boss, "refresh_fields", made.portal)
    data = {"pick": [" house_colour"], "local house_colour": "bio", "direction  house_colour": "pull"}
    assert boss.post(f"{url(pages, made)}?show=all", data).status_code == 302
    hubspot.plant("contacts", [{"email": "ada@example.com", "house_colour": "red"}])
    for _page in backfill.pages(backfill.start(Mapping.objects.get(), "backfill_pull")):
        pass
    assert Person.objects.get().bio == "red"


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


def test_a_lifecycle_stage_starts_forward_only(boss, pages, mapping) -> None:
    """A17: what HubSpot itself moves forward only is offered so; everything else may move any way."""
    options = [["lead", "Lead"], ["customer", "Customer"]]
    factories.RemotePropertyFactory(portal=mapping.portal, name="lifecyclestage", type="enumeration", options=options)
    send(boss, pages, mapping, "status lifecyclestage", CITY)
    found = dict(FieldMapping.objects.values_list("remote", "movement"))
    assert (found["lifecyclestage"], found["city"]) == ("forward", "any")

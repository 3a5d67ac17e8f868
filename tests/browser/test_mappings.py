"""A mapping in a browser: made, proved, switched on, mended when the schema changes; also without JavaScript."""

import pytest

from crmsync.flows import connect, discover
from crmsync.ledger import credentials
from crmsync.models import FieldMapping, Mapping, OutboxEntry, Portal, RemoteProperty
from project.demo.models import Person
from tests import factories
from tests.browser.test_portals import BOTH, go, press, text

SAVE, CONTINUE = "_save", "_continue"


@pytest.fixture
def portal(desk) -> Portal:
    desk.hub.add_property("contacts", "vip_number", "number", label="VIP number")
    found = connect.connect(Portal(label="Acme"), credentials.Entered("static", token=desk.hub.token))
    discover.discover(found)
    return found


def url_of(desk, row, *parts: str) -> str:
    name = row._meta.model_name
    return f"{desk.url}/admin/crmsync/{name}/{row.pk}/{'/'.join(parts) or 'change'}/"


def save(page, name: str = SAVE) -> None:
    go(page, page.locator(f"input[name={name}]").first)


def choose(page, name: str, value: str) -> None:
    """A row's input is a list or a text with suggestions, as there is room."""
    box = page.locator(f"[name={name}]")
    if box.evaluate("one => one.tagName") == "SELECT":
        box.select_option(value)
    else:
        box.fill(value)


def yes(page) -> None:
    """The button that confirms; the page says what happens before."""
    go(page, page.locator("#content form input[type=submit]").last)


def make_companies(portal: Portal) -> Mapping:
    mapping = factories.MappingFactory(
        portal=portal, label="Organisations", model_label="demo.Organisation", object_type="companies", state="draft"
    )
    factories.FieldMappingFactory(mapping=mapping, local="name", remote="name")
    return mapping


@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_mapping_from_nothing_to_the_first_record(desk, portal, javascript) -> None:
    """J2, A24, A30, L16, U18, C35: objects, match, fields, policies, rule, fixed value, association; a draft that
    says what is lossy and refuses what is impossible; then proved, accepted, approved, switched on, one record."""
    companies = make_companies(portal)
    page = desk.log_in("mapper", javascript=javascript)
    page.goto(f"{desk.url}/admin/crmsync/mapping/add/")
    page.fill("#id_label", "People")
    page.select_option("#id_portal", str(portal.pk))
    page.select_option("#id_model_label", "demo.Person")
    page.select_option("#id_object_type", "contacts")
    choose(page, "match_keys-0-local", "email")
    choose(page, "match_keys-0-remote", "email")
    page.select_option("[name=match_keys-0-normaliser]", "email")
    choose(page, "fields-0-local", "birth_date")  # cannot become a number
    choose(page, "fields-0-remote", "vip_number")
    save(page)
    assert "one cannot become the other" in text(page)
    assert not Mapping.objects.filter(label="People").exists()
    choose(page, "fields-0-local", "email")
    choose(page, "fields-0-remote", "email")
    save(page, CONTINUE)
    mapping = Mapping.objects.get(label="People")
    assert mapping.state == "draft"

    page.goto(url_of(desk, mapping, "add-fields"))
    assert page.locator("input[name=pick]:checked").count() == 0
    for pair in ("first_name firstname", "last_name lastname"):
        page.check(f"input[name=pick][value='{pair}']")
    press(page, "Add the ticked fields")
    assert "2 field mappings were added" in text(page)

    number = mapping.fields.count()
    choose(page, f"fields-{number}-local", "city")
    choose(page, f"fields-{number}-remote", "city")
    choose(page, f"fields-{number + 1}-local", "bio")
    choose(page, f"fields-{number + 1}-remote", "vip_number")
    page.select_option("[name=fields-1-direction]", "push")
    page.select_option("[name=fields-2-conflict]", "prefer_local")
    page.select_option("[name=fields-2-blanks]", "clear")
    page.select_option("[name=fixed_values-0-side]", "local")
    choose(page, "fixed_values-0-field", "lead_source")
    page.fill("[name=fixed_values-0-value]", "fair")
    page.select_option("[name=associations-0-local]", "organisation")
    page.select_option("[name=associations-0-to_mapping]", str(companies.pk))
    save(page, CONTINUE)
    assert page.locator(".errorlist, .errornote").all_inner_texts() == []
    assert "types differ" in text(page)  # a text that is no number cannot reach HubSpot
    assert mapping.associations.get().to_mapping == companies
    page.check(f"[name=fields-{number + 1}-DELETE]")
    save(page, CONTINUE)
    assert not mapping.fields.filter(local="bio").exists()

    go(page, page.get_by_role("link", name="Add a sync rule"))
    page.fill("#id_name", "Only Graz")
    page.select_option("#id_direction", "push")
    page.select_option("[name=conditions-0-side]", "local")
    choose(page, "conditions-0-field", "city")
    page.select_option("[name=conditions-0-operator]", "equals")
    page.fill("[name=conditions-0-value]", "Graz")
    save(page)
    assert page.locator(".errorlist, .errornote").all_inner_texts() == []
    assert mapping.rules.get().name == "Only Graz"

    page.goto(url_of(desk, mapping, "proof"))
    for box in page.locator("input[name=accept]").all():
        box.check()
    if page.locator("input[name=accept]").count():
        yes(page)
    page.goto(url_of(desk, mapping))
    press(page, "Mark as tested")
    yes(page)
    press(page, "Approve")
    yes(page)
    press(page, "Switch on")
    yes(page)
    mapping.refresh_from_db()
    assert mapping.state == "live", text(page)

    inside = Person.objects.create(
        email="ada@example.com", first_name="Ada", last_name="Lovelace", city="Graz", lead_source="fair"
    )
    page.goto(url_of(desk, mapping, "try"))
    page.fill("#crmsync-q", "ada@example.com")
    press(page, "Search")
    press(page, "Sync this one for real")
    (record,) = desk.hub.records("contacts")
    assert (record["properties"]["firstname"], record["properties"]["city"]) == ("Ada", "Graz")
    assert mapping.links.get().local_pk == str(inside.pk)


@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_property_that_is_gone_is_replaced(desk, portal, javascript) -> None:
    """J14, F8: a banner names what is gone, the other fields go on, the suggested property takes its place."""
    for name in ("shoe_size", "shoe_size_eu"):
        desk.hub.add_property("contacts", name, "string", label="Shoe size")
    mapping = factories.MappingFactory(portal=portal, label="People")
    for local, remote in (("email", "email"), ("city", "city"), ("job_title", "shoe_size")):
        factories.FieldMappingFactory(mapping=mapping, local=local, remote=remote)
    factories.MatchKeyFactory(mapping=mapping)
    page = desk.log_in("mapper", javascript=javascript)
    page.goto(url_of(desk, portal))
    press(page, "Refresh fields")
    desk.work()
    ada = Person.objects.create(email="ada@example.com", city="Graz", job_title="38")
    desk.work()
    (record,) = desk.hub.records("contacts")
    assert record["properties"]["shoe_size"] == "38"

    desk.hub.archive_property("contacts", "shoe_size")
    page.goto(url_of(desk, portal))
    press(page, "Refresh fields")
    desk.work()
    ada.city, ada.job_title = "Wien", "39"
    ada.save()
    desk.work()
    (record,) = desk.hub.records("contacts")
    assert record["properties"]["city"] == "Wien"
    page.goto(f"{desk.url}/admin/crmsync/mapping/")
    banner = page.inner_text(".crmsync-banners")
    for words in ("“shoe_size” of contacts, joined with job_title, is gone", "1 record waits", "“shoe_size_eu”"):
        assert words in banner
    go(page, page.get_by_role("link", name="Replace it"))
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    go(page, page.get_by_role("button", name="Replace with Shoe size").first)
    assert "This page has written nothing" in text(page)
    assert FieldMapping.objects.filter(remote="shoe_size").exists()
    press(page, "Yes, replace it")
    assert page.locator(".crmsync-banners").count() == 0
    desk.work()
    (record,) = desk.hub.records("contacts")
    assert record["properties"]["shoe_size_eu"] == "39"
    assert not OutboxEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_names_of_many_rows_stay_in_their_box(desk, portal) -> None:
    """X13: beyond what the box shows they are scrolled to with their rows, not written over the next step."""
    mapping = make_companies(portal)
    for name in ("city", "country", "industry", "domain", "phone", "website", "state", "zip", "address", "type"):
        factories.FieldMappingFactory(mapping=mapping, local="city", remote=name, is_active=False)
    page = desk.log_in("mapper", viewport={"width": 1280, "height": 600})
    page.goto(url_of(desk, mapping))
    box, name = page.locator("#fields-group fieldset"), page.locator("#fields-group td.original p")
    assert box.evaluate("one => one.scrollHeight > one.clientHeight")
    row = page.locator("#fields-group tr.has_original")
    apart = [row.last.bounding_box()["y"] - name.last.bounding_box()["y"]]
    box.evaluate("one => one.scrollTo(0, one.scrollHeight)")
    apart.append(row.last.bounding_box()["y"] - name.last.bounding_box()["y"])
    assert apart[0] == apart[1]


@BOTH
@pytest.mark.django_db(transaction=True)
def test_a_row_goes_only_when_the_form_is_saved(desk, portal, javascript) -> None:
    """X13: ticked and left, it is still there."""
    mapping = make_companies(portal)
    page = desk.log_in("mapper", javascript=javascript)
    page.goto(url_of(desk, mapping))
    page.check("[name=fields-0-DELETE]")
    page.goto(f"{desk.url}/admin/crmsync/mapping/")
    page.goto(url_of(desk, mapping))
    assert page.locator("[name=fields-0-local]").input_value() == "name"
    assert mapping.fields.exists()
    page.check("[name=fields-0-DELETE]")
    save(page)
    assert not mapping.fields.exists()


@pytest.mark.django_db(transaction=True)
def test_two_people_edit_at_once(desk, portal) -> None:
    """L16: the second one is told, and nothing of the first one's is lost."""
    mapping = make_companies(portal)
    first, second = desk.log_in("mapper"), desk.log_in("mapper")
    for page in (first, second):
        page.goto(url_of(desk, mapping))
    first.fill("#id_label", "By the first")
    save(first)
    second.fill("#id_label", "By the second")
    save(second)
    assert "Somebody else changed this mapping meanwhile" in text(second)
    mapping.refresh_from_db()
    assert mapping.label == "By the first"


def _many(portal: Portal, count: int) -> Mapping:
    names = [f"p{number:03}" for number in range(count)]
    mapping = factories.MappingFactory(portal=portal, state="draft")
    RemoteProperty.objects.bulk_create(
        RemoteProperty(portal=portal, object_type="contacts", name=name, label=f"Property {name}", type="string")
        for name in names
    )
    FieldMapping.objects.bulk_create(
        FieldMapping(mapping=mapping, local="city", remote=name, direction="push", position=number)
        for number, name in enumerate(names)
    )
    factories.MatchKeyFactory(mapping=mapping)
    return mapping


@pytest.mark.parametrize("count", [3, 30, 300])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.django_db(transaction=True)
def test_the_page_fits_and_has_names_for_all_inputs(desk, portal, count, width, tmp_path) -> None:
    """L17: no horizontal scroll of the whole page, the head of the rows stays, every input has a name."""
    mapping = _many(portal, count)
    page = desk.log_in("mapper", viewport={"width": width, "height": 800})
    page.goto(url_of(desk, mapping))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = page.evaluate(
        """[...document.querySelectorAll("#content-main :is(input, select, textarea):not([type=hidden])")]
        .filter(one => !one.closest(".empty-form") && !one.labels?.length && !one.ariaLabel && !one.title
            && !["submit", "button"].includes(one.type)).map(one => one.name)"""
    )
    assert unnamed == []
    if count == 300 and width == 1280:
        page.locator("[name=fields-250-local]").scroll_into_view_if_needed()
        page.locator("[name=fields-250-local]").focus()
        head = page.locator("#fields-group thead th").first.bounding_box()
        row = page.locator("#fields-250").bounding_box()
        assert 0 <= head["y"] < row["y"] < 800


@pytest.mark.django_db(transaction=True)
def test_300_rows_are_saved_in_one_go(desk, portal) -> None:
    """L17: one row of 300 is edited in a browser."""
    mapping = _many(portal, 300)
    page = desk.log_in("mapper")
    page.goto(url_of(desk, mapping))
    page.select_option("[name=fields-150-write_mode]", "if_empty")
    save(page, CONTINUE)
    assert "was changed successfully" in text(page)
    assert list(mapping.fields.filter(write_mode="if_empty").values_list("remote", flat=True)) == ["p150"]


@BOTH
@pytest.mark.django_db(transaction=True)
def test_the_page_works_by_keyboard_alone(desk, portal, javascript) -> None:
    """Tab reaches the steps, every row and the buttons in order; focus is seen; Enter and Space press."""
    mapping = make_companies(portal)
    page = desk.log_in("mapper", javascript=javascript)
    page.goto(url_of(desk, mapping))
    page.locator("nav.crmsync-steps a").first.focus()
    order = []
    for _ in range(120):
        name = page.evaluate(
            "(e => e.name || (e.hash && e.hash.startsWith('#crmsync-step') && e.hash) || '')(document.activeElement)"
        )
        order += [name] if name else []
        if name == "fields-0-local":
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none"
        page.keyboard.press("Tab")
        if name == SAVE:
            break
    seen = ["#crmsync-step-8", "label", "direction", "match_keys-0-local", "fields-0-local", "fields-0-is_active"]
    places = [order.index(one) for one in [*seen, "associations-0-local", "deletes_remote", SAVE]]
    assert places == sorted(places)
    page.locator("[name=fields-0-is_active]").focus()
    page.keyboard.press("Space")
    page.locator(f"input[name={CONTINUE}]").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert mapping.fields.get().is_active is False

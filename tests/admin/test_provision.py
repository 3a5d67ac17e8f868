"""The page "Create properties": nothing is ticked, nothing is created unseen, and the result is told one by one."""

import pytest

from crmsync.engine import terms
from crmsync.flows import discover, propose
from crmsync.models import FieldMapping, Mapping, Portal
from tests import factories

BIRTH, STATUS = "django_person_birth_date", "django_person_status"
PERMISSIONS = ("view_mapping", "change_mapping", "add_fieldmapping", "connect_portal")


@pytest.fixture
def mapping(hubspot, db) -> Mapping:
    """Only e-mail is joined, in a portal whose fields are discovered."""
    made = factories.MappingFactory(label="People", portal__hub_id=hubspot.portal.id)
    factories.FieldMappingFactory(mapping=made, local="email", remote="email", position=4)
    discover.discover(made.portal)
    return made


def url(pages, mapping) -> str:
    return pages.at("mapping_provision", mapping.pk)


def send(client, pages, mapping, *fields: str, sure: bool = False, extends: tuple[str, ...] = (), **names: str):
    data = {"pick": [*fields, *names], **{f"name {path}": name for path, name in names.items()}}
    data |= {"extends": list(extends)} if extends else {}
    return client.post(url(pages, mapping), data | ({"sure": "yes"} if sure else {}))


def answer(client, response, pages, mapping):
    """Press the button of the page that asks, with all that it sends."""
    data: dict[str, list[str]] = {}
    for name, value in response.context["sent"]:
        data.setdefault(name, []).append(value)
    return client.post(url(pages, mapping), data)


def made(hubspot) -> set[str]:
    kind = hubspot.portal.kind("contacts")
    return {name for name in hubspot.portal.properties[kind.id] if name.startswith("django_")}


def joined() -> set[tuple[str, str, str]]:
    return set(FieldMapping.objects.exclude(local="email").values_list("local", "remote", "direction"))


def lines(response) -> dict:
    return {line.draft.local: line for line in response.context["lines"]}


def test_it_lists_what_has_no_property(boss, pages, mapping, hubspot) -> None:
    """U20: name, label, type, group and options of each; nothing is ticked, and HubSpot is not called."""
    before = len(hubspot.ledger.requests())
    response = boss.get(url(pages, mapping))
    assert response.status_code == 200
    found = lines(response)
    assert "email" not in found
    assert (found["birth_date"].name, found["birth_date"].draft.label) == (BIRTH, "Birth date")
    assert (found["birth_date"].draft.type, found["birth_date"].draft.group) == ("date", "crmsync")
    assert found["status"].options == "Lead, Prospect, Customer, Former customer"
    assert found["organisation__city"].section == "organisation"
    text = response.content.decode()
    assert " checked" not in text
    assert "disabled" not in text
    assert len(hubspot.ledger.requests()) == before


def test_it_asks_before_it_creates(boss, pages, mapping, hubspot) -> None:
    """U20: exactly what will be created, and nothing yet; then each is told."""
    asked = send(boss, pages, mapping, "birth_date", status="my_status")
    text = asked.content.decode()
    assert "Will be created (2)" in text
    assert BIRTH in text
    assert "my_status" in text
    assert "in the group “crmsync”" in text
    assert (made(hubspot), joined()) == (set(), set())
    done = answer(boss, asked, pages, mapping)
    assert done.status_code == 200
    assert "2 field mappings were added." in done.content.decode()
    assert made(hubspot) == {BIRTH}
    assert joined() == {("birth_date", BIRTH, "push"), ("status", "my_status", "push")}
    assert Mapping.objects.get().revision == mapping.revision + 1
    assert set(FieldMapping.objects.values_list("position", flat=True)) == {4, 5, 6}
    assert "birth_date" not in lines(boss.get(url(pages, mapping)))


def test_pressed_twice_it_creates_once(boss, pages, mapping, hubspot) -> None:
    """U20: a browser that sends the form again."""
    asked = send(boss, pages, mapping, "birth_date")
    answer(boss, asked, pages, mapping)
    again = answer(boss, asked, pages, mapping)
    assert "existed already" in again.content.decode()
    assert "0 field mappings were added." in again.content.decode()
    assert made(hubspot) == {BIRTH}
    assert Mapping.objects.get().revision == mapping.revision + 1


def test_what_is_refused_is_shown_with_another_name(boss, pages, mapping, hubspot) -> None:
    """U20: the person looks at it before anything is created; ticks and the other fields' names stay."""
    hubspot.add_property("contacts", BIRTH, "number")  # since the fields were discovered
    response = send(boss, pages, mapping, birth_date="", bio="my_bio")
    found = lines(response)
    assert "sent" not in response.context
    assert found["birth_date"].name == f"{BIRTH}_2"
    assert "holds number, but this field needs date" in found["birth_date"].note
    assert (found["bio"].name, found["bio"].is_picked, found["birth_date"].is_picked) == ("my_bio", True, True)
    assert (made(hubspot), joined()) == ({BIRTH}, set())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Birth Date", "is no name for a property"),
        ("x" * 101, "is no name for a property"),
        ("hs_birth", "keeps for itself"),
        ("<script>", "is no name for a property"),
        ("email", "joined with “email” already"),
    ],
)
def test_a_bad_name_is_refused_in_words(boss, pages, mapping, hubspot, name, words) -> None:
    response = send(boss, pages, mapping, birth_date=name)
    assert words in lines(response)["birth_date"].note
    assert "<script>" not in response.content.decode()
    assert send(boss, pages, mapping, birth_date=name, sure=True).status_code == 200
    assert (made(hubspot), joined()) == (set(), set())


@pytest.mark.parametrize("path", ["owner__password", "nowhere", "organisation"])
def test_a_field_that_cannot_be_mapped_is_refused(boss, pages, mapping, hubspot, path) -> None:
    for sure in (False, True):
        response = send(boss, pages, mapping, path, sure=sure)
        assert response.context["problem"]
    assert (made(hubspot), joined()) == (set(), set())


def test_nothing_ticked_is_said(boss, pages, mapping) -> None:
    assert "Nothing is ticked" in send(boss, pages, mapping).content.decode()


def test_a_missing_scope_is_named_and_the_button_is_off(boss, pages, mapping, hubspot) -> None:
    """U20: which scope, and how to get it; a form sent all the same creates nothing."""
    Portal.objects.update(scopes=["crm.objects.contacts.read"], are_scopes_known=True)
    text = boss.get(url(pages, mapping)).content.decode()
    assert "crm.schemas.contacts.write" in text
    assert "disabled" in text
    assert pages.of(mapping.portal) in text
    before = len(hubspot.ledger.requests())
    assert "crm.schemas.contacts.write" in send(boss, pages, mapping, "bio", sure=True).content.decode()
    assert "sent" not in send(boss, pages, mapping, "bio").context
    assert len(hubspot.ledger.requests()) == before


def test_read_only_and_held_are_said(boss, pages, mapping, hubspot, settings) -> None:
    Portal.objects.update(held="push")
    assert "holds back what is sent to HubSpot" in boss.get(url(pages, mapping)).content.decode()
    Portal.objects.update(held="")
    settings.CRMSYNC = {**settings.CRMSYNC, "READ_ONLY": True}
    assert boss.get(url(pages, mapping)).context["obstacle"]
    send(boss, pages, mapping, "bio", sure=True)
    assert (made(hubspot), joined()) == (set(), set())


def test_many_fields_stay_usable(boss, pages, mapping, monkeypatch) -> None:
    """U20: a search, sections, and a bound that says how much it left out."""
    assert set(lines(boss.get(url(pages, mapping), {"q": "birth DATE"}))) == {"birth_date"}
    response = boss.get(url(pages, mapping), {"section": "organisation"})
    assert {line.section for line in response.context["lines"]} == {"organisation"}
    assert set(lines(boss.get(url(pages, mapping), {"section": ""}))) >= {"bio", "status"}
    assert "organisation__city" not in lines(boss.get(url(pages, mapping), {"section": ""}))
    assert "fits this search" in boss.get(url(pages, mapping), {"q": "xyz"}).content.decode()
    monkeypatch.setattr(propose, "SHOWN", 1)
    assert "more fields are not shown: search for them." in boss.get(url(pages, mapping)).content.decode()


def test_a_full_page_fits_one_form(settings) -> None:
    """Django refuses a form with too many inputs: a row has its tick, its name, and its options' consent."""
    assert 3 * propose.SHOWN + 10 <= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS


def test_options_that_grow_are_confirmed(boss, pages, mapping, hubspot, monkeypatch) -> None:
    """U20: the new ones are listed, and added only after that."""
    answer(boss, send(boss, pages, mapping, "status"), pages, mapping)
    field = propose.Book(mapping).adapter.model._meta.get_field("status")
    monkeypatch.setattr(field, "choices", [*field.choices, ("vip", "Very important")])
    found = lines(boss.get(url(pages, mapping)))["status"]
    assert (found.is_mapped, found.note) == (True, "New options: Very important.")
    asked = send(boss, pages, mapping, "status")
    assert ("extends", "status") in asked.context["sent"]
    answer(boss, asked, pages, mapping)
    kind = hubspot.portal.kind("contacts")
    values = [one["value"] for one in hubspot.portal.properties[kind.id][STATUS].data["options"]]
    assert values == ["lead", "prospect", "customer", "former", "vip"]


# --- Permissions --------------------------------------------------------------------------------------------------


def test_who_may_create(staff, client, pages, mapping, hubspot) -> None:
    """Section 2: changing the mapping, adding rows, and connecting its portal: all three."""
    allowed = staff(*PERMISSIONS)
    assert url(pages, mapping) in allowed.get(pages.of(mapping)).content.decode()
    assert allowed.get(url(pages, mapping)).status_code == 200
    for missing in PERMISSIONS[1:]:
        some = staff(*(one for one in PERMISSIONS if one != missing))
        assert some.get(url(pages, mapping)).status_code == 403
        assert send(some, pages, mapping, "bio", sure=True).status_code == 403
        assert url(pages, mapping) not in some.get(pages.of(mapping)).content.decode()
    assert "/login/" in client.get(url(pages, mapping)).url
    assert made(hubspot) == set()
    assert send(allowed, pages, mapping, "bio", sure=True).status_code == 200
    assert made(hubspot) == {"django_person_bio"}


def test_a_kept_mapping_refuses(boss, pages, mapping, hubspot) -> None:
    """F9: its file is the place."""
    Mapping.objects.update(locked_by="config/crm.json")
    assert boss.get(url(pages, mapping)).status_code == 403
    assert send(boss, pages, mapping, "bio", sure=True).status_code == 403
    assert made(hubspot) == set()


def test_get_creates_nothing(boss, pages, mapping, hubspot) -> None:
    """P7: only POST changes."""
    boss.get(url(pages, mapping), {"pick": "bio", "sure": "yes"})
    assert made(hubspot) == set()


def test_an_unknown_mapping_and_a_model_that_is_gone(boss, pages, mapping) -> None:
    assert boss.get(pages.at("mapping_provision", 9999)).status_code == 404
    Mapping.objects.update(model_label="demo.Gone")
    assert "does not allow" in boss.get(url(pages, mapping)).content.decode()


def test_a_mapping_from_hubspot_only_says_so(boss, pages, mapping) -> None:
    Mapping.objects.update(direction=terms.Direction.PULL)
    assert "only takes values from HubSpot" in boss.get(url(pages, mapping)).content.decode()

"""Suggestions: the demo's own pairs are ranked first, no pair is type-impossible, and every reason is told."""

import pytest

from crmsync import adapters
from crmsync.engine import convert, suggest, terms
from crmsync.fakehub import defaults
from crmsync.ledger import book
from crmsync.models import RemoteProperty
from project.demo import mappings

LOCAL, REMOTE = terms.LocalType, terms.RemoteType
DEMO = {
    "contacts": ("demo.Person", "0-1", mappings.PEOPLE_FIELDS),
    "companies": ("demo.Organisation", "0-2", mappings.ORGANISATION_FIELDS),
    "deals": ("demo.Opportunity", "0-3", mappings.OPPORTUNITY_FIELDS),
}


def local(path: str, kind: terms.LocalType = LOCAL.TEXT, **facts: object) -> suggest.LocalFact:
    return suggest.LocalFact(path, path.replace("__", " ").replace("_", " "), kind, **facts)


def remote(name: str, label: str = "", kind: terms.RemoteType = REMOTE.STRING) -> suggest.RemoteFact:
    return suggest.RemoteFact(name, label, kind)


def fields_of(model_label: str) -> list[suggest.LocalFact]:
    """The model's fields and those one foreign key away, as the page offers them."""
    adapter = adapters.adapter_for(model_label)
    paths = list(adapter.paths())
    for one in adapter.model._meta.concrete_fields:
        if one.is_relation:
            paths += (f"{one.name}__{name}" for name in adapters.LocalAdapter(one.related_model).paths())
    found = []
    for path in paths:
        try:
            said = adapter.describe(path)
        except adapters.LocalFieldError:
            continue
        found.append(local(path, said.local_type, has_choices=bool(said.choices)))
    return found


def properties_of(object_type: str, type_id: str) -> list[suggest.RemoteFact]:
    """HubSpot's own properties, and the demo's custom ones on contacts."""
    lines = f"{defaults.COMMON.strip()}\n{defaults.PROPERTIES[type_id][1].strip()}".splitlines()
    told = [line.partition("|")[0].rstrip("?").lstrip("!").split(":", 3) for line in lines]
    if object_type == "contacts":
        told += [[name, kind, field_type, label] for name, label, kind, field_type, _ in mappings.CUSTOM_PROPERTIES]
    rows = [RemoteProperty(name=name, type=kind, field_type=shape, label=label) for name, kind, shape, label in told]
    return [suggest.RemoteFact(row.name, row.label, book.remote_type(row)) for row in rows]


def rank_of(object_type: str) -> tuple[suggest.Suggestion, ...]:
    model_label, type_id, _rows = DEMO[object_type]
    return suggest.rank(fields_of(model_label), properties_of(object_type, type_id), object_type)


def test_the_pairs_a_person_made_are_ranked_first() -> None:
    """L2: at least nine of ten of the demo's pairs are the best of their field, and are chosen."""
    hits, wanted = 0, 0
    for object_type, (_model, _id, rows) in DEMO.items():
        ranked = rank_of(object_type)
        chosen = {(one.local, one.remote) for one in suggest.choose(ranked)}
        for path, name, _settings in rows:
            best = next((one.remote for one in ranked if one.local == path), None)
            wanted += 1
            hits += best == name and (path, name) in chosen
    assert wanted == sum(len(rows) for _model, _id, rows in DEMO.values())
    assert hits >= 0.9 * wanted


@pytest.mark.parametrize("object_type", DEMO)
def test_no_impossible_pair_is_ranked(object_type: str) -> None:
    """L2: whatever the names say."""
    model_label, type_id, _rows = DEMO[object_type]
    ours = {one.path: one.type for one in fields_of(model_label)}
    theirs = {one.name: one.type for one in properties_of(object_type, type_id)}
    ranked = rank_of(object_type)
    assert ranked
    assert all(convert.is_possible(ours[one.local], theirs[one.remote]) for one in ranked)


@pytest.mark.parametrize("ours", LOCAL)
@pytest.mark.parametrize("theirs", REMOTE)
def test_the_same_name_is_not_enough(ours: terms.LocalType, theirs: terms.RemoteType) -> None:
    """L2: of every two types."""
    found = suggest.rank([local("city", ours)], [remote("city", "City", theirs)], "contacts")
    assert bool(found) == convert.is_possible(ours, theirs)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("given_name", "firstname"),
        ("surname", "lastname"),
        ("postal_code", "zip"),
        ("mobile", "phone"),
        ("organisation", "company"),
        ("url", "website"),
        ("job_title", "jobtitle"),
    ],
)
def test_well_known_words_are_understood(path: str, name: str) -> None:
    """L2."""
    (found,) = suggest.rank([local(path)], [remote(name), remote("hs_unrelated_thing")], "contacts")
    assert found.remote == name
    assert found.score > 0.9


def test_it_says_why() -> None:
    """Page 6: the score's parts, as words."""
    (found,) = suggest.rank([local("given_name")], [remote("firstname", "First Name")], "contacts")
    assert found.reasons == ("name 0.94", "type exact")
    assert 0 < found.score < 1


def test_the_better_type_wins_where_names_are_alike() -> None:
    remotes = [remote("birth_date", "", REMOTE.STRING), remote("birthdate", "", REMOTE.DATE)]
    best, other = suggest.rank([local("birth_date", LOCAL.DATE)], remotes, "contacts")
    assert (best.remote, best.reasons[1]) == ("birthdate", "type exact")
    assert other.reasons[1] == "type possible"


def test_the_same_words_go_before_a_synonym_and_that_before_letters() -> None:
    remotes = [remote("phones"), remote("mobilephone"), remote("phone")]
    ranked = suggest.rank([local("phone")], remotes, "contacts")
    assert [one.remote for one in ranked] == ["phone", "mobilephone", "phones"]


def test_the_word_of_the_object_type_says_nothing() -> None:
    """A deal's name is its name; a contact's is not."""
    assert suggest.rank([local("name")], [remote("dealname")], "deals")
    assert not suggest.rank([local("name")], [remote("dealname")], "contacts")


def test_each_field_and_property_is_chosen_once() -> None:
    ranked = suggest.rank([local("phone"), local("mobile")], [remote("phone"), remote("mobilephone")], "contacts")
    chosen = suggest.choose(ranked)
    assert len(ranked) == 4
    assert sorted((one.local, one.remote) for one in chosen) == [("mobile", "mobilephone"), ("phone", "phone")]


def test_names_without_letters_are_no_likeness() -> None:
    assert suggest.rank([local("__")], [remote("___")], "contacts") == ()

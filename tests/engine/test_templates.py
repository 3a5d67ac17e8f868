"""Templates: ready-made fields are matched to a model's own by name and meaning; none is HubSpot's unknown."""

import pytest

from crmsync.engine import suggest, templates, terms
from crmsync.fakehub import defaults
from tests.engine import test_suggest

LOCAL, REMOTE = terms.LocalType, terms.RemoteType
TYPES = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}


def names_of(type_id: str) -> set[str]:
    lines = f"{defaults.COMMON.strip()}\n{defaults.PROPERTIES[type_id][1].strip()}".splitlines()
    return {line.lstrip("!").partition(":")[0] for line in lines}


@pytest.mark.parametrize("object_type", templates.COMMON)
def test_every_name_is_a_default_property(object_type: str) -> None:
    """L2: a typing error here would offer nothing."""
    common = templates.COMMON[object_type]
    assert len(set(common)) == len(common)
    assert set(common) <= names_of(TYPES[object_type])


@pytest.mark.parametrize(
    ("object_type", "pairs"),
    [
        (
            "contacts",
            {
                "email": "email",
                "first_name": "firstname",
                "last_name": "lastname",
                "phone": "phone",
                "organisation__name": "company",
                "city": "city",
            },
        ),
        (
            "companies",
            {"name": "name", "domain": "domain", "city": "city", "country": "country", "industry": "industry"},
        ),
        ("deals", {"name": "dealname", "amount": "amount", "status": "dealstage", "close_at": "closedate"}),
    ],
)
def test_the_demos_fields_are_found(object_type: str, pairs: dict[str, str]) -> None:
    """L2: names, company name, e-mail, address parts; name, amount, stage and close date of a deal."""
    chosen = templates.choose(test_suggest.rank_of(object_type), object_type)
    assert pairs.items() <= {one.local: one.remote for one in chosen}.items()
    order = [templates.COMMON[object_type].index(one.remote) for one in chosen]
    assert order == sorted(order)


def test_other_names_are_understood() -> None:
    """L2: a model that says surname, postcode and town; each field is used once, other properties never."""
    ours = [suggest.LocalFact(path, path, LOCAL.TEXT) for path in ("surname", "postcode", "town", "e_mail", "colour")]
    theirs = [
        suggest.RemoteFact(name, name, REMOTE.STRING)
        for name in ("lastname", "zip", "city", "email", "colour", "town")
    ]
    chosen = templates.choose(suggest.rank(ours, theirs, "contacts"), "contacts")
    assert [(one.local, one.remote) for one in chosen] == [
        ("e_mail", "email"),
        ("surname", "lastname"),
        ("town", "city"),
        ("postcode", "zip"),
    ]


def test_a_custom_object_has_no_template() -> None:
    assert not templates.has("2-123")
    assert templates.choose(test_suggest.rank_of("contacts"), "2-123") == ()

"""What a path of a model may be, what type it has, and the words with which any other is refused."""

from decimal import Decimal

import pytest

from crmsync import adapters, api
from crmsync.admin import catalogue
from crmsync.engine.terms import LocalType
from crmsync.ledger import readers
from crmsync.paths import computed, rollups, walk
from tests.flows import hosts
from tests.hostapp.models import Job, Line, Member


@pytest.fixture(autouse=True)
def host(settings):
    with hosts.registered(settings):
        yield


def describe(path: str, label: str = "hostapp.Job") -> adapters.LocalField:
    return adapters.adapter_for(label).describe(path)


@pytest.mark.parametrize(
    ("path", "local_type"),
    [
        ("pk", LocalType.TEXT),
        ("headline", LocalType.TEXT),
        ("size", LocalType.INTEGER),
        ("total", LocalType.DECIMAL),
        ("day", LocalType.DATE),
        ("client__shout", LocalType.TEXT),
        ("client__name", LocalType.TEXT),
        ("lines__count", LocalType.INTEGER),
        ("lines__sum__amount", LocalType.DECIMAL),
        ("lines__min__done_at", LocalType.DATETIME),
        ("lines__max__title", LocalType.TEXT),
        ("lines__join__title", LocalType.TEXT),
        ("lines__join__amount", LocalType.TEXT),
        ("tags__count", LocalType.INTEGER),
        ("tags__join__name", LocalType.TEXT),
    ],
)
def test_what_can_be_read(path, local_type) -> None:
    """A12, L3: each with its type, and none of them can be written."""
    said = describe(path)
    assert (said.local_type, said.is_writable) == (local_type, False)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("auth_token", "secret"),
        ("client__api_token", "secret"),
        ("lines__join__session_note", "secret"),
        ("lines__session_note__count", "Roll them up"),
        ("plain", "crmsync.api.computed"),
        ("listed", "methods of its adapter"),
        ("with_argument", "arguments"),
        ("save", "has no field"),
        ("objects", "has no field"),
        ("_state", "has no field"),
        ("nothing", "Choose one of: id, number"),
        ("lines", "lines__count"),
        ("lines__title", "lines__count"),
        ("lines__count__title", "lines__count"),
        ("lines__sum", "lines__sum__"),
        ("lines__sum__title", "Choose one of: .*amount"),
        ("lines__sum__is_paid", "cannot be used with 'sum'"),
        ("lines__sum__nothing", "has no field 'nothing'"),
        ("lines__sum__job", "cannot be used"),
        ("lines__average__amount", "lines__count"),
        ("client__jobs__count", "leads nowhere"),
        ("client", "CATEGORIES"),
        ("tags__name", "tags__count"),
        ("labelling__count", r"Add it to CRMSYNC\['MODELS'\]"),
    ],
)
def test_what_cannot_and_why(path, words) -> None:
    """A12, E3, C18: the sentence says what would do; secrets by name, along keys, in properties and roll-ups."""
    with pytest.raises(adapters.LocalFieldError, match=words):
        describe(path)


@pytest.mark.parametrize("path", ["password", "is_authenticated", "is_anonymous", "get_username", "check_password"])
def test_djangos_own_is_not_offered(path) -> None:
    """C18: of a user model neither the password nor what Django computes."""
    with pytest.raises(adapters.LocalFieldError):
        describe(path, "hostapp.Member")
    assert not {"is_authenticated", "is_anonymous"} & set(computed.names(Member))


def test_methods_that_the_adapter_names(monkeypatch) -> None:
    """A12: without a decorator on the host's model."""

    class JobAdapter(api.LocalAdapter):
        methods = ("listed",)

    monkeypatch.setitem(adapters._registry, Job, JobAdapter)
    assert describe("listed").local_type is LocalType.BOOLEAN
    adapter = adapters.adapter_for("hostapp.Job")
    assert adapter.read(Job(), "listed") is True
    assert "listed" in adapter.more_paths()


def test_what_the_admin_offers() -> None:
    """A12, L3, L4: columns, categories, computed values and roll-ups; no secret and nothing that would be refused."""
    adapter = adapters.adapter_for("hostapp.Job")
    offered = dict(catalogue.local_choices(adapter))
    wanted = {"number", "status", "tags", "headline", "size", "total", "lines__count", "lines__sum__amount"}
    assert wanted | {"lines__join__title", "client__name", "client__shout"} <= offered.keys()
    assert "read-only" in offered["lines__count"]
    assert not any(word in path for path in offered for word in ("token", "session", "password"))
    assert not {"plain", "with_argument", "listed", "save", "client"} & offered.keys()
    for path in offered:
        adapter.describe(path)


def test_a_type_must_be_one() -> None:
    """A12: a wrong decorator is an error where it is written."""
    with pytest.raises(ValueError, match="money"):
        api.computed(type="money")
    assert computed.computed(reads="lines")(lambda self: 1).crmsync.reads == ("lines",)


# --- What a value hangs on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "vias"),
    [
        ("title", set()),
        ("headline", set()),
        ("total", {"lines", "client"}),
        ("lines__count", {"lines"}),
        ("lines__title", set()),
        ("status", {"status"}),
        ("status__name", {"status"}),
        ("tags", {"tags"}),
        ("topics", {"topics", "labelling"}),
        ("topics__join__name", {"topics", "labelling"}),
        ("client", set()),
        ("client__shout", {"client"}),
        ("title+status", {"status"}),
        ("nothing", set()),
    ],
)
def test_which_related_rows_are_read(path, vias) -> None:
    """A12, A13, L9: what has to be captured for each kind of path."""
    found = {via for _, via in readers.make_rows("hostapp.Job", [path])}
    assert found - {""} == vias


def test_which_relations_go_back() -> None:
    """I1: what a row leads to can change hands only along these."""
    assert walk.is_back(Job, "lines")
    assert walk.is_back(Job, "tags")
    assert not walk.is_back(Job, "client")
    assert walk.is_back(Line, "job__tags")
    assert not walk.is_back(Job, "nothing")


# --- Roll-ups of rows ---------------------------------------------------------------------------------------------


def rolled(path: str, *rows: Line) -> object:
    return rollups.value_of(walk.resolve(Job, path).rollup, rows)


def test_roll_ups_of_nothing_and_of_blanks() -> None:
    """A13: a count and a sum are 0, the rest is blank; rows without a value do not count for it."""
    assert [rolled(f"lines__{one}") for one in ("count", "sum__amount")] == [0, 0]
    assert [rolled(f"lines__{one}") for one in ("min__done_at", "max__amount", "join__title")] == [None] * 3
    rows = [Line(title="", amount=Decimal("1.10")), Line(title="b", amount=Decimal("2.20")), Line(title="a")]
    assert rolled("lines__join__title", *rows) == "b; a"
    assert rolled("lines__max__amount", *rows) == Decimal("2.20")
    assert rolled("lines__sum__amount", *rows) == Decimal("3.30")


def test_a_long_text_ends_with_a_whole_entry() -> None:
    """A12: at most 65,000 characters; that something is left out is seen."""
    text = rolled("lines__join__title", *(Line(title="x" * 99) for _ in range(1000)))
    assert len(text) <= rollups.MOST
    assert text.endswith("x" * 99 + "; …")

"""Single records and lists."""

import pytest

from crmsync.hubspot import errors, objects, types

RECORD = {
    "id": "512",
    "properties": {"email": "ada@x.test", "phone": None, "hs_object_id": "512", "score": 3, "vip": True},
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-02T03:04:05.678Z",
    "archived": False,
    "url": "https://app.hubspot.com/x",
}


def test_get_reads_text_values_and_aware_times(fake):
    """C14: values are text or None."""
    sender = fake([RECORD])
    found = objects.get(sender, "contacts", "512", ["email", "phone"], history=["email"], archived=True)
    assert found.properties["email"] == "ada@x.test"
    assert (found.properties["phone"], found.properties["score"], found.properties["vip"]) == (None, "3", "true")
    assert found.updated_at.isoformat() == "2026-01-02T03:04:05.678000+00:00"
    assert (found.id, found.archived, found.new, found.trace_id) == ("512", False, None, "")
    assert sender.requests[0].target == (
        "/crm/objects/2026-09/contacts/512?properties=email%2Cphone&propertiesWithHistory=email&archived=true"
    )


def test_get_by_a_unique_value_does_not_show_it(fake):
    """C18: an e-mail in a path reaches no log."""
    sender = fake([RECORD])
    objects.get(sender, "contacts", "ada/b@x.test", id_property="email")
    request = sender.requests[0]
    assert request.target == "/crm/objects/2026-09/contacts/ada%2Fb%40x.test?idProperty=email"
    assert request.loggable_path == "/crm/objects/2026-09/contacts/{id}"


@pytest.mark.parametrize("body", [None, {}, {"id": None}, {"id": "1", "properties": [1]}, {"id": True}])
def test_a_record_without_its_shape_is_an_unknown_outcome(fake, body):
    """Fault 14: JSON, but not HubSpot's."""
    with pytest.raises(errors.UnknownOutcome):
        objects.get(fake([body]), "contacts", "1")


def page(*ids, after=None):
    body = {"results": [{"id": id, "properties": {}} for id in ids]}
    return body | ({"paging": {"next": {"after": after, "link": "https://x"}}} if after else {})


def test_list_page(fake):
    sender = fake([page("1", "2", after="33452")])
    found = objects.list_page(sender, "2-9", ["a", "b"], after="7", limit=500)
    assert [one.id for one in found] == ["1", "2"]
    assert (found.after, found.total) == ("33452", None)
    assert sender.requests[0].target == "/crm/objects/2026-09/2-9?limit=100&after=7&properties=a%2Cb"


def test_list_page_with_history_is_half_as_long(fake):
    sender = fake([page()])
    objects.list_page(sender, "deals", history=["amount"], archived=True)
    assert sender.requests[0].target == (
        "/crm/objects/2026-09/deals?limit=50&propertiesWithHistory=amount&archived=true"
    )


def test_iter_pages_ends_and_can_be_resumed(fake):
    """Invariant 17: a cursor for every page."""
    sender = fake([page("1", after="a"), page("2", after="b"), page()])
    assert [(tuple(one.id for one in p), p.after) for p in objects.iter_pages(sender, "deals", after="z")] == [
        (("1",), "a"),
        (("2",), "b"),
        ((), None),
    ]
    assert [dict(request.query).get("after") for request in sender.requests] == ["z", "a", "b"]


def test_iter_pages_does_not_go_round_for_ever(fake):
    sender = fake(lambda request: page("1", after="same"))
    assert len(list(objects.iter_pages(sender, "deals"))) == 2


def test_pages_are_lazy(fake):
    sender = fake(lambda request: page("1", after="x"))
    next(objects.iter_pages(sender, "deals"))
    assert len(sender.requests) == 1


def test_the_family_is_called_from_one_place():
    for name in ("search_page", "iter_search", "find_by", "read_batch", "create_batch", "upsert_batch"):
        assert callable(getattr(objects, name))
    assert types.Page((1, 2)).records == tuple(types.Page((1, 2)))
